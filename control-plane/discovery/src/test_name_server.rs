//! A name server for tests: speaks the DNS over UDP and TCP on the loopback, and
//! says what it is told to.

use hickory_resolver::proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, SOA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// What is said to a question.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Records of any owner, with a TTL in seconds.
    Records(Vec<(Name, RData)>, u32),
    /// "No such name", to be remembered for an hour.
    NoSuchName,
    /// `SERVFAIL`.
    Broken,
    /// Nothing at all.
    Silence,
    /// Too much for UDP; the same over TCP is answered.
    OverTcp(Box<Reply>),
}

/// Replies by name and type; a name without a reply for the type has other
/// records, and one without any does not exist.
#[derive(Default)]
struct Zone {
    replies: BTreeMap<(Name, RecordType), Reply>,
    questions: BTreeMap<(Name, RecordType), usize>,
}

/// A running name server, until it is dropped.
pub(crate) struct TestNameServer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _tasks: JoinSet<()>,
}

impl TestNameServer {
    /// Starts one that knows no name.
    pub(crate) async fn start() -> TestNameServer {
        let (udp, tcp) = listen().await;
        let address = udp.local_addr().unwrap();
        let zone = Arc::<Mutex<Zone>>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, Arc::clone(&zone)));
        tasks.spawn(serve_tcp(tcp, Arc::clone(&zone)));
        TestNameServer { address, zone, _tasks: tasks }
    }

    /// Says `reply` from now on.
    pub(crate) fn say(&self, name: &str, kind: RecordType, reply: Reply) {
        lock(&self.zone).replies.insert((absolute(name), kind), reply);
    }

    /// Says these addresses from now on.
    pub(crate) fn say_addresses(&self, name: &str, ips: &[&str], ttl_s: u32) {
        let data: Vec<RData> = ips.iter().map(|ip| address(ip)).collect();
        let kind = data[0].record_type();
        let records = data.into_iter().map(|data| (absolute(name), data)).collect();
        self.say(name, kind, Reply::Records(records, ttl_s));
    }

    /// Says these targets from now on, each `(priority, target, port)`.
    pub(crate) fn say_services(&self, name: &str, services: &[(u16, &str, u16)], ttl_s: u32) {
        let srv = |&(priority, target, port): &(u16, &str, u16)| {
            (absolute(name), RData::SRV(SRV::new(priority, 0, port, absolute(target))))
        };
        let records = services.iter().map(srv).collect();
        self.say(name, RecordType::SRV, Reply::Records(records, ttl_s));
    }

    /// How often it was asked.
    pub(crate) fn questions(&self, name: &str, kind: RecordType) -> usize {
        lock(&self.zone).questions.get(&(absolute(name), kind)).copied().unwrap_or(0)
    }
}

/// A name from the root.
pub(crate) fn absolute(name: &str) -> Name {
    let mut name = Name::from_utf8(name).unwrap();
    name.set_fqdn(true);
    name
}

/// A CNAME record.
pub(crate) fn alias(of: &str, target: &str) -> (Name, RData) {
    (absolute(of), RData::CNAME(CNAME(absolute(target))))
}

/// An A or AAAA record.
pub(crate) fn address(ip: &str) -> RData {
    match ip.parse().unwrap() {
        IpAddr::V4(ip) => RData::A(A(ip)),
        IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
    }
}

/// Both on one port.
async fn listen() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn serve_udp(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut buffer = [0; 4096];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else { continue };
        if let Some(answer) = answer(&zone, &buffer[..length], false) {
            socket.send_to(&answer, peer).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, zone: Arc<Mutex<Zone>>) {
    let mut exchanges = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        exchanges.spawn(serve_stream(stream, Arc::clone(&zone)));
    }
}

async fn serve_stream(mut stream: TcpStream, zone: Arc<Mutex<Zone>>) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        stream.read_exact(&mut question).await.unwrap();
        if let Some(answer) = answer(&zone, &question, true) {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    }
}

fn answer(zone: &Mutex<Zone>, question: &[u8], over_tcp: bool) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).unwrap();
    let query = question.queries[0].clone();
    let reply = reply(&mut lock(zone), &query);
    let mut message = Message::response(question.metadata.id, OpCode::Query);
    message.add_query(query);
    fill(&mut message, reply, over_tcp)?;
    Some(message.to_vec().unwrap())
}

fn reply(zone: &mut Zone, query: &Query) -> Reply {
    let key = (absolute(&query.name().to_lowercase().to_utf8()), query.query_type());
    *zone.questions.entry(key.clone()).or_default() += 1;
    let names: BTreeSet<&Name> = zone.replies.keys().map(|(name, _)| name).collect();
    let nothing =
        if names.contains(&key.0) { Reply::Records(Vec::new(), 0) } else { Reply::NoSuchName };
    zone.replies.get(&key).cloned().unwrap_or(nothing)
}

fn fill(message: &mut Message, reply: Reply, over_tcp: bool) -> Option<()> {
    match reply {
        Reply::Records(records, ttl_s) => {
            let record = |(owner, data)| Record::from_rdata(owner, ttl_s, data);
            message.add_answers(records.into_iter().map(record));
        }
        Reply::NoSuchName => {
            let soa = SOA::new(absolute("ns.test"), absolute("admin.test"), 1, 1, 1, 1, 3_600);
            message.metadata.response_code = ResponseCode::NXDomain;
            message.add_authority(Record::from_rdata(absolute("test"), 3_600, RData::SOA(soa)));
        }
        Reply::Broken => message.metadata.response_code = ResponseCode::ServFail,
        Reply::Silence => return None,
        Reply::OverTcp(reply) if over_tcp => fill(message, *reply, over_tcp)?,
        Reply::OverTcp(_) => message.metadata.truncation = true,
    }
    Some(())
}

fn lock(zone: &Mutex<Zone>) -> std::sync::MutexGuard<'_, Zone> {
    zone.lock().unwrap_or_else(PoisonError::into_inner)
}
