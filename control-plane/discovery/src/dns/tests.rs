use super::*;
use crate::source::Listed;
use crate::test_name_server::{Reply, TestNameServer, absolute, address, alias};
use tokio::sync::watch;

/// Asks the server under test.
fn asker(server: &TestNameServer) -> NameServer {
    NameServer::new(Some(server.address))
}

/// Gives up on silence quickly.
fn impatient(server: &TestNameServer) -> NameServer {
    NameServer { patience: Duration::from_millis(100), ..asker(server) }
}

async fn addresses(server: &TestNameServer, name: &str) -> String {
    shown(asker(server).addresses(name).await)
}

fn shown(answer: Result<Answer<IpAddr>, Error>) -> String {
    match answer {
        Ok(Answer { mut values, ttl }) => {
            values.sort();
            let ips: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{} for {} s", ips.join(" "), ttl.as_secs())
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn addresses_and_how_long_they_may_be_used() {
    let server = TestNameServer::start().await;
    server.say_addresses("llama.test", &["10.0.0.2", "10.0.0.1"], 30);
    assert_eq!(addresses(&server, "llama.test").await, "10.0.0.1 10.0.0.2 for 30 s");
    assert_eq!(addresses(&server, "llama.test.").await, "10.0.0.1 10.0.0.2 for 30 s");
    assert_eq!(server.questions("llama.test", RecordType::AAAA), 0);
}

#[tokio::test]
async fn every_question_goes_out() {
    let server = TestNameServer::start().await;
    server.say_addresses("llama.test", &["10.0.0.1"], 3_600);
    assert_eq!(addresses(&server, "llama.test").await, "10.0.0.1 for 3600 s");
    server.say_addresses("llama.test", &["10.0.0.2"], 60);
    assert_eq!(addresses(&server, "llama.test").await, "10.0.0.2 for 60 s");
}

#[tokio::test]
async fn ipv6_is_for_names_without_ipv4() {
    let server = TestNameServer::start().await;
    server.say_addresses("six.test", &["fd00::1"], 30);
    server.say_addresses("both.test", &["fd00::1"], 30);
    server.say_addresses("both.test", &["10.0.0.1"], 20);
    assert_eq!(addresses(&server, "six.test").await, "fd00::1 for 30 s");
    assert_eq!(addresses(&server, "both.test").await, "10.0.0.1 for 20 s");
}

#[tokio::test]
async fn an_alias_is_followed() {
    let server = TestNameServer::start().await;
    let records =
        vec![alias("llama.test", "pod.test"), (absolute("pod.test"), address("10.0.0.1"))];
    server.say("llama.test", RecordType::A, Reply::Records(records, 7));
    assert_eq!(addresses(&server, "llama.test").await, "10.0.0.1 for 7 s");
}

#[tokio::test]
async fn no_such_name_and_no_such_record_are_answers() {
    let server = TestNameServer::start().await;
    assert_eq!(addresses(&server, "llama.test").await, " for 0 s");
    server.say_services("llama.test", &[(0, "a.test", 1)], 30);
    assert_eq!(addresses(&server, "llama.test").await, " for 0 s");
}

#[tokio::test]
async fn a_broken_or_silent_server_is_no_answer() {
    let server = TestNameServer::start().await;
    server.say("llama.test", RecordType::A, Reply::Broken);
    let broken = addresses(&server, "llama.test").await;
    assert!(broken.starts_with("llama.test: ") && broken.contains("Server Failure"), "{broken}");
    server.say("llama.test", RecordType::A, Reply::Silence);
    let silent = shown(impatient(&server).addresses("llama.test").await);
    assert!(silent.starts_with("llama.test: ") && silent.contains("timed out"), "{silent}");
}

#[tokio::test]
async fn a_failure_for_ipv6_is_not_taken_for_no_address() {
    let server = TestNameServer::start().await;
    server.say("llama.test", RecordType::AAAA, Reply::Broken);
    let answer = addresses(&server, "llama.test").await;
    assert!(answer.starts_with("llama.test: "), "{answer}");
}

#[tokio::test]
async fn nobody_at_the_address_is_no_answer() {
    let server = TestNameServer::start().await;
    let asker = impatient(&server);
    drop(server);
    assert!(asker.addresses("llama.test").await.is_err());
}

#[tokio::test]
async fn what_is_too_long_for_udp_comes_over_tcp() {
    let server = TestNameServer::start().await;
    let records = vec![(absolute("llama.test"), address("10.0.0.1"))];
    let over_tcp = Reply::OverTcp(Box::new(Reply::Records(records, 30)));
    server.say("llama.test", RecordType::A, over_tcp);
    assert_eq!(addresses(&server, "llama.test").await, "10.0.0.1 for 30 s");
}

#[test]
fn the_search_list_goes_by_the_dots_of_a_name() {
    let search =
        ["gpu.svc.cluster.test.", "cluster.test."].map(|name| Name::from_utf8(name).unwrap());
    let table = [
        ("llama", 5, "llama.gpu.svc.cluster.test. llama.cluster.test. llama."),
        ("llama.gpu", 1, "llama.gpu. llama.gpu.gpu.svc.cluster.test. llama.gpu.cluster.test."),
        ("llama.test.", 5, "llama.test."),
    ];
    for (name, ndots, expected) in table {
        let names = candidates(name, &search, ndots).unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names.join(" "), expected, "{name}");
    }
    let too_long = "a".repeat(64);
    assert!(matches!(candidates(&too_long, &search, 1), Err(Error::NoName(_))));
}

#[test]
fn the_hosts_file_prefers_ipv4_too() {
    let mut hosts = Hosts::default();
    let text = "127.0.0.1 localhost\n::1 localhost six\n10.0.0.1 llama llama.test # ours\n";
    hosts.read_hosts_conf(text.as_bytes()).unwrap();
    let table = [
        ("localhost", Some("127.0.0.1")),
        ("six", Some("::1")),
        ("llama.test", Some("10.0.0.1")),
        ("llama.test.", Some("10.0.0.1")),
        ("other", None),
    ];
    for (name, expected) in table {
        let found = find(&hosts, &Name::from_utf8(name).unwrap());
        let expected = expected.map(|ip| vec![ip.parse::<IpAddr>().unwrap()]);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn services_of_the_lowest_priority() {
    let srv = |(priority, target, port): (u16, &str, u16)| {
        SRV::new(priority, 9, port, Name::from_utf8(target).unwrap())
    };
    let table = [
        (vec![(10, "B.test.", 2), (10, "a.test.", 1)], "http://a.test:1 http://b.test:2"),
        (vec![(20, "b.test.", 2), (10, "a.test.", 1)], "http://a.test:1"),
        (vec![(10, "a.test.", 1), (10, "a.test.", 1)], "http://a.test:1"),
        (vec![(0, ".", 0)], ""),
        (vec![], ""),
        (vec![(0, "a.test.", 0)], "_http._tcp.test: a.test:0 is no endpoint"),
    ];
    for (services, expected) in table {
        let services: Vec<SRV> = services.into_iter().map(srv).collect();
        let shown = match usable("_http._tcp.test", &services, false) {
            Ok(endpoints) => {
                endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }
}

/// Waits until what the source said is as `expected` says.
async fn until(listed: &mut watch::Receiver<Listed>, expected: impl Fn(&Listed) -> bool) -> Listed {
    let waiting = timeout(Duration::from_secs(30), listed.wait_for(expected));
    waiting.await.expect("in time").expect("the source runs").clone()
}

#[tokio::test]
async fn services_are_asked_for_again_and_outlast_a_failure() {
    let server = TestNameServer::start().await;
    let name = "_http._tcp.test";
    server.say_services(name, &[(0, "a.test", 8000)], 0);
    let (sink, mut listed) = Sink::new();
    let source = tokio::spawn(run_srv(name.to_owned(), asker(&server), true, sink));
    let one = |listed: &Listed| listed.endpoints.as_ref().is_some_and(|list| list.len() == 1);
    let first = until(&mut listed, one).await;
    assert_eq!(first.endpoints.unwrap()[0].to_string(), "https://a.test:8000");

    server.say(name, RecordType::SRV, Reply::Broken);
    let failing = until(&mut listed, |listed| listed.error.is_some()).await;
    assert_eq!(failing.endpoints.unwrap().len(), 1);

    server.say_services(name, &[(0, "a.test", 8000), (0, "b.test", 8000)], 0);
    until(&mut listed, |listed| listed.endpoints.as_ref().is_some_and(|list| list.len() == 2))
        .await;
    server.say(name, RecordType::SRV, Reply::NoSuchName);
    until(&mut listed, |listed| listed.endpoints.as_ref().is_some_and(Vec::is_empty)).await;
    source.abort();
}
