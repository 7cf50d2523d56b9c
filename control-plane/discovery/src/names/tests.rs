use super::*;

fn endpoints(texts: &[&str]) -> Vec<Endpoint> {
    texts.iter().map(|text| Endpoint::parse(text).unwrap()).collect()
}

fn answer(ips: &[&str], ttl_s: u64) -> Result<Answer<IpAddr>, Error> {
    let values = ips.iter().map(|ip| ip.parse().unwrap()).collect();
    Ok(Answer { values, ttl: Duration::from_secs(ttl_s) })
}

fn no_answer(name: &str) -> Result<Answer<IpAddr>, Error> {
    Err(Error::Unanswered { name: name.to_owned(), what: "silence".to_owned() })
}

fn shown(resolved: Option<Resolved>) -> String {
    let Some(Resolved { targets, error }) = resolved else { return "not yet".to_owned() };
    let target = |target: &Target| match &target.hostname {
        Some(hostname) => format!("{}={hostname}", target.address),
        None => target.address.to_string(),
    };
    let mut parts: Vec<String> = targets.iter().map(target).collect();
    parts.extend(error.map(|error| format!("! {error}")));
    parts.join(" ")
}

const fn seconds(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn addresses_need_no_question() {
    let now = Instant::now();
    let mut names = Names::default();
    let list = endpoints(&["http://10.0.0.2:8000", "http://10.0.0.1:8000", "https://[::1]:1"]);
    names.want(&list, now);
    assert_eq!(names.take_due(9, now), Vec::<String>::new());
    assert_eq!(names.next_due(), None);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "10.0.0.1:8000 10.0.0.2:8000 [::1]:1");
}

#[test]
fn a_name_is_asked_for_again_when_its_answer_is_used_up() {
    let now = Instant::now();
    let mut names = Names::default();
    let list = endpoints(&["http://a:1", "http://a:2"]);
    names.want(&list, now);
    assert_eq!(names.take_due(9, now), ["a"]);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "not yet");
    names.answered("a", answer(&["10.0.0.2", "10.0.0.1"], 20), now);
    let expected = "10.0.0.1:1=a 10.0.0.1:2=a 10.0.0.2:1=a 10.0.0.2:2=a";
    assert_eq!(shown(names.resolve(&list, &Zones::new())), expected);
    assert_eq!(names.next_due(), Some(now + seconds(20)));
    assert!(names.take_due(9, now + seconds(19)).is_empty());
    assert_eq!(names.take_due(9, now + seconds(20)), ["a"]);
}

#[test]
fn a_failure_keeps_the_last_addresses_and_says_so() {
    let now = Instant::now();
    let mut names = Names::default();
    let list = endpoints(&["http://a:1", "http://b:1"]);
    names.want(&list, now);
    names.answered("a", answer(&["10.0.0.1"], 20), now);
    names.answered("b", no_answer("b"), now);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "10.0.0.1:1=a ! b: silence");
    names.answered("a", no_answer("a"), now);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "10.0.0.1:1=a ! a: silence; and 1 more");
    names.answered("a", answer(&[], 0), now);
    names.answered("b", answer(&["10.0.0.2"], 20), now);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "10.0.0.2:1=b");
}

#[test]
fn what_brought_nothing_is_asked_for_less_and_less_often() {
    let now = Instant::now();
    let mut names = Names::default();
    names.want(&endpoints(&["http://a:1"]), now);
    let mut pause = |answer| {
        names.answered("a", answer, now);
        names.next_due().unwrap() - now
    };
    assert_eq!(pause(no_answer("a")), seconds(1));
    assert_eq!(pause(answer(&[], 3_600)), seconds(2));
    assert_eq!(pause(no_answer("a")), seconds(4));
    assert_eq!(pause(answer(&["10.0.0.1"], 0)), seconds(1));
    assert_eq!(pause(no_answer("a")), seconds(1));
}

#[test]
fn questions_are_bounded_and_lost_ones_repeated() {
    let now = Instant::now();
    let mut names = Names::default();
    names.want(&endpoints(&["http://a:1", "http://b:1", "http://c:1"]), now);
    assert_eq!(names.take_due(2, now), ["a", "b"]);
    assert_eq!(names.take_due(2, now), ["c"]);
    assert!(names.take_due(2, now).is_empty());
    assert_eq!(names.next_due(), Some(now + LOST));
    assert_eq!(names.take_due(9, now + LOST), ["a", "b", "c"]);
}

#[test]
fn a_new_name_holds_the_list_until_it_is_answered() {
    let now = Instant::now();
    let mut names = Names::default();
    names.want(&endpoints(&["http://a:1"]), now);
    names.answered("a", answer(&["10.0.0.1"], 20), now);
    let list = endpoints(&["http://b:1"]);
    names.want(&list, now);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "not yet");
    names.answered("a", answer(&["10.0.0.9"], 20), now);
    names.answered("b", answer(&["10.0.0.2"], 20), now);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "10.0.0.2:1=b");
}

#[test]
fn one_address_is_one_target() {
    let now = Instant::now();
    let mut names = Names::default();
    let list = endpoints(&["http://a:1", "http://b:1", "http://10.0.0.2:1"]);
    names.want(&list, now);
    names.answered("a", answer(&["10.0.0.1"], 20), now);
    names.answered("b", answer(&["10.0.0.1", "10.0.0.2"], 20), now);
    assert_eq!(shown(names.resolve(&list, &Zones::new())), "10.0.0.1:1=a 10.0.0.2:1=b");
}
