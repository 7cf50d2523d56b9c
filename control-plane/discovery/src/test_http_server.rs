//! An HTTP/1.1 server for tests, close enough to the wire to cut an answer at
//! any byte.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One request, without its body.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Asked {
    /// A parameter of the query, empty where there is none.
    pub(crate) fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// The answer to one request, written piece by piece. Dropping it cuts it off.
pub(crate) struct Answer(TcpStream);

impl Answer {
    /// Begins an answer that ends with [`Answer::end`]; `headers` as they are
    /// written, each with its line end.
    pub(crate) async fn begin(&mut self, status: u16, headers: &str) {
        let head = format!(
            "HTTP/1.1 {status} Made-up\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n{headers}\r\n"
        );
        self.write(&head).await;
    }

    /// A piece of the body.
    pub(crate) async fn piece(&mut self, text: &str) {
        self.write(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    pub(crate) async fn end(mut self) {
        self.write("0\r\n\r\n").await;
    }

    /// A whole answer.
    pub(crate) async fn whole(mut self, status: u16, headers: &str, body: &str) {
        self.begin(status, headers).await;
        if !body.is_empty() {
            self.piece(body).await;
        }
        self.end().await;
    }

    /// The caller may have gone.
    async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.ok();
    }
}

/// A server, until this is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Serves at `address`; each request is answered by `answer`.
    pub(crate) async fn start<F, A>(address: SocketAddr, answer: A) -> Server
    where
        F: Future<Output = ()> + Send + 'static,
        A: Fn(Asked, Answer) -> F + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, asked.clone(), Arc::new(answer)));
        Server { address, asked, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// 127.0.0.1 at a free port.
pub(crate) fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn serve<F, A>(listener: TcpListener, asked: Arc<Mutex<Vec<Asked>>>, answer: Arc<A>)
where
    F: Future<Output = ()> + Send + 'static,
    A: Fn(Asked, Answer) -> F + Send + Sync + 'static,
{
    let mut exchanges = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (asked, answer) = (asked.clone(), answer.clone());
        exchanges.spawn(async move {
            let mut stream = stream;
            if let Some(request) = read(&mut stream).await {
                asked.lock().unwrap().push(request.clone());
                answer(request, Answer(stream)).await;
            }
        });
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let (line, headers) = head.split_once("\r\n")?;
    let target = line.split(' ').nth(1)?;
    let url = reqwest::Url::parse(&format!("http://server{target}")).ok()?;
    let pair = |line: &str| {
        line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
    };
    Some(Asked {
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: headers.lines().filter_map(pair).collect(),
    })
}
