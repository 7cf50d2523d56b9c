//! Envoy, as far as the module may ask it for something.
//!
//! The SDK panics when the host answers a call with a status that it does not
//! expect, and a panic ends the VM with all streams of the worker. The host
//! answers so when a call is made outside of the phase that it belongs to. So
//! every call is a method of a phase, a phase exists only inside the callback
//! that it is named after, and a call that is impossible does not compile.

use contract::names::{ANSWER_HEADER, BODIES_PROPERTY, SHADOW_KEY, SHADOW_METADATA, WHO_PROPERTY};
use pipeline::command::{HeaderEdit, Reply};
use pipeline::headers::Headers;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType, Status};
use std::time::{Duration, UNIX_EPOCH};

/// Unix time in milliseconds; 0 if the host's clock stands before 1970.
pub fn now_ms() -> u64 {
    let now = hostcalls::get_current_time().unwrap_or(UNIX_EPOCH);
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The plugin configuration, in the callback that announces it.
pub fn plugin_configuration() -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Asks for a tick of the root context at every `period`.
pub fn tick_every(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// The value of a name in the table that all VMs of the process share.
pub fn shared(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_shared_data(name).ok().and_then(|(value, _)| value)
}

/// The same, with the number by which the table tells one value of it from the next.
pub fn shared_with_version(name: &str) -> Option<(Vec<u8>, u32)> {
    let (value, version) = hostcalls::get_shared_data(name).ok()?;
    value.zip(version)
}

/// Sets a name in that table, whatever it was before.
pub fn set_shared(name: &str, value: &[u8]) {
    let _ = hostcalls::set_shared_data(name, Some(value), None);
}

/// Sets a name in that table unless it is there already. The host inserts what is
/// missing whatever the version says, and refuses a version that cannot be.
pub fn set_shared_if_absent(name: &str, value: &[u8]) {
    let _ = hostcalls::set_shared_data(name, Some(value), Some(u32::MAX));
}

/// How often a slot is read anew when another worker has changed it in between.
/// Workers are few and a change takes a microsecond.
const SWAPS_MAX: u32 = 32;

/// Changes the value of a name in that table as if no other worker were there.
/// `change` is given what stands there, and says what shall, or `None` for no change;
/// it is asked again when somebody else was faster. Returns what it said last beside
/// that; `None` when somebody else always was.
pub fn change_shared<T>(
    name: &str,
    mut change: impl FnMut(Option<&[u8]>) -> (Option<Vec<u8>>, T),
) -> Option<T> {
    for _ in 0..SWAPS_MAX {
        let (value, version) = hostcalls::get_shared_data(name).unwrap_or_default();
        let (wanted, said) = change(value.as_deref());
        let Some(wanted) = wanted else { return Some(said) };
        // What is missing is inserted whatever the version says; this one cannot be.
        let version = version.unwrap_or(u32::MAX);
        if hostcalls::set_shared_data(name, Some(&wanted), Some(version)).is_ok() {
            return Some(said);
        }
    }
    None
}

/// A counter of this process, whichever VM counts. Envoy shows it as
/// `wasmcustom.NAME`.
#[derive(Clone, Copy)]
pub struct Counter(Option<u32>);

impl Counter {
    /// The counter of that name.
    pub fn named(name: &str) -> Counter {
        Counter(hostcalls::define_metric(MetricType::Counter, name).ok())
    }

    /// One more.
    pub fn count(self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(self, more: u64) {
        if let Some(id) = self.0 {
            let _ = hostcalls::increment_metric(id, i64::try_from(more).unwrap_or(i64::MAX));
        }
    }

    /// How many it has counted since the process began.
    pub fn read(self) -> u64 {
        self.0.and_then(|id| hostcalls::get_metric(id).ok()).unwrap_or(0)
    }
}

/// How the control plane is spoken to.
#[derive(Clone, Copy)]
pub enum Message<'a> {
    /// A question that changes nothing.
    Get,
    /// Something that it is to keep.
    Post(&'a [u8]),
}

/// Sends a message to the control plane. The answer comes to the context that asks.
///
/// # Errors
/// The host's status when Envoy has no such cluster or cannot send.
pub fn ask_control(
    cluster: &str,
    message: Message<'_>,
    path: &str,
    timeout: Duration,
) -> Result<u32, Status> {
    let (method, body) = match message {
        Message::Get => ("GET", None),
        Message::Post(body) => ("POST", Some(body)),
    };
    let mut headers = vec![(":method", method), (":path", path), (":authority", "control")];
    if body.is_some() {
        headers.push(("content-type", "application/json"));
    }
    hostcalls::dispatch_http_call(cluster, headers, body, vec![], timeout)
}

/// Sends JSON to a service of the operator's. The answer comes to the context that
/// asks.
///
/// # Errors
/// The host's status when Envoy has no such cluster or cannot send.
pub fn ask_service(
    cluster: &str,
    authority: &str,
    path: &str,
    body: &[u8],
    timeout: Duration,
) -> Result<u32, Status> {
    let headers = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", authority),
        ("content-type", "application/json"),
    ];
    hostcalls::dispatch_http_call(cluster, headers, Some(body), vec![], timeout)
}

/// The answer of such a service, in the callback that announces it: its body, if it
/// says that all went well. What Envoy makes up in its place never says so.
pub fn service_answer(body_size: usize) -> Option<Vec<u8>> {
    let headers = headers(MapType::HttpCallResponseHeaders);
    let is_well = headers.text(":status") == Some("200");
    is_well.then(|| read(BufferType::HttpCallResponseBody, body_size))
}

/// The answer of the control plane, in the callback that announces it.
pub struct ControlAnswer {
    body_size: usize,
}

impl ControlAnswer {
    /// Only for the callback of a call's answer.
    pub fn enter(body_size: usize) -> ControlAnswer {
        ControlAnswer { body_size }
    }

    /// What the control plane says it is; `None` for what Envoy made up
    /// because the control plane could not be reached.
    pub fn kind(&self) -> Option<String> {
        let headers = headers(MapType::HttpCallResponseHeaders);
        headers.text(ANSWER_HEADER).map(str::to_owned)
    }

    /// The body.
    pub fn body(&self) -> Vec<u8> {
        read(BufferType::HttpCallResponseBody, self.body_size)
    }
}

/// The request's headers are held back: while they arrive, while the body is
/// read, and while an answer of the control plane is awaited.
pub struct HeldRequest(());

impl HeldRequest {
    /// Only for callbacks of a request whose headers have not gone on.
    pub fn enter() -> HeldRequest {
        HeldRequest(())
    }

    /// All headers, in one call.
    pub fn headers(&self) -> Headers {
        headers(MapType::HttpRequestHeaders)
    }

    /// Names in the certificate that the client has shown and Envoy has verified: the
    /// first URI and the first DNS name (Envoy, "Attributes", `connection`); `None`: it
    /// has shown none.
    pub fn certificate_names(&self) -> Option<[Option<String>; 2]> {
        let of_connection = |name| hostcalls::get_property(vec!["connection", name]).ok().flatten();
        of_connection("mtls").filter(|shown| shown.as_slice() == [1])?;
        let names = ["uri_san_peer_certificate", "dns_san_peer_certificate"].map(|name| {
            let text = of_connection(name).and_then(|name| String::from_utf8(name).ok());
            text.filter(|text| !text.is_empty())
        });
        Some(names)
    }

    /// Changes headers.
    pub fn edit(&self, edits: &[HeaderEdit]) {
        edit(MapType::HttpRequestHeaders, edits);
    }

    /// The first `size` bytes of the body that Envoy holds.
    pub fn body(&self, size: usize) -> Vec<u8> {
        read(BufferType::HttpRequestBody, size)
    }

    /// Puts another body in the place of the `size` bytes that Envoy holds. A
    /// body whose content-length is not its own would be read by the engine as
    /// the beginning of the next request, so the two are never set apart.
    pub fn set_body(&self, size: usize, body: &[u8]) {
        let length = HeaderEdit::set("content-length", body.len().to_string());
        edit(MapType::HttpRequestHeaders, &[length]);
        let _ = hostcalls::set_buffer(BufferType::HttpRequestBody, 0, size, body);
    }

    /// Answers the client; the request ends here.
    pub fn reply(&self, reply: &Reply) {
        send(reply);
    }
}

/// Breaks an answer off that has begun: the engine is told to stop, and the client sees its
/// connection end. For callbacks of an answer.
pub fn break_off() {
    let _ = hostcalls::reset_http_response();
}

/// The same for the answer of that context, from a tick.
pub fn break_off_other(context: u32) {
    if hostcalls::set_effective_context(context).is_ok() {
        break_off();
    }
}

/// Lets a request go on that was paused by an earlier callback.
pub fn resume_request(_held: HeldRequest) {
    let _ = hostcalls::resume_http_request();
}

/// The address that the client's connection comes from, without its port (Envoy,
/// "Attributes", `source`). No header of the client moves it.
/// For any callback of a stream.
pub fn source_address() -> String {
    let address = hostcalls::get_property(vec!["source", "address"]).ok().flatten();
    let address = address.and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
    let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// The cluster that a request was sent to: of its last attempt, and in the filter of an
/// attempt of that one (Envoy, "Attributes", `xds`).
/// For any callback of a stream that has a route.
pub fn cluster_name() -> Option<String> {
    property(vec!["xds", "cluster_name"])
}

/// `ADDRESS:PORT` of the server that answers. For callbacks of an answer.
pub fn upstream_address() -> Option<String> {
    property(vec!["upstream", "address"])
}

fn property(path: Vec<&str>) -> Option<String> {
    let value = hostcalls::get_property(path).ok().flatten()?;
    String::from_utf8(value).ok()
}

/// The request of one attempt, in the filter of its cluster: its headers are held back,
/// while they arrive and while the body is read.
pub struct HeldAttempt(());

impl HeldAttempt {
    /// Only for callbacks of an attempt whose headers have not gone on.
    pub fn enter() -> HeldAttempt {
        HeldAttempt(())
    }

    /// What the filter of the request has told of the pools' bodies, if they differ.
    pub fn bodies(&self) -> Option<Vec<u8>> {
        hostcalls::get_property(vec![BODIES_PROPERTY]).ok().flatten()
    }

    /// What is told of the body of a request's copy, if this is one: it has the metadata of
    /// the request, and nothing of its filter state.
    pub fn body_of_copy(&self) -> Option<Vec<u8>> {
        let path = vec!["metadata", "filter_metadata", SHADOW_METADATA, SHADOW_KEY];
        let told = hostcalls::get_property(path).ok().flatten()?;
        let is_copy = hostcalls::get_property(vec![WHO_PROPERTY]).ok().flatten().is_none();
        is_copy.then_some(told)
    }

    /// The first `size` bytes of the body that Envoy holds.
    pub fn body(&self, size: usize) -> Vec<u8> {
        read(BufferType::HttpRequestBody, size)
    }

    /// Says how long the body is that follows.
    pub fn set_length(&self, bytes: u64) {
        let length = HeaderEdit::set("content-length", bytes.to_string());
        edit(MapType::HttpRequestHeaders, &[length]);
    }

    /// Says at which path it is asked, where that was told.
    pub fn set_path(&self, path: Option<&str>) {
        if let Some(path) = path {
            edit(MapType::HttpRequestHeaders, &[HeaderEdit::set(":path", path.to_owned())]);
        }
    }

    /// Puts another body in the place of the `size` bytes that Envoy holds, with its length.
    pub fn set_body(&self, size: usize, body: &[u8]) {
        self.set_length(u64::try_from(body.len()).unwrap_or(u64::MAX));
        let _ = hostcalls::set_buffer(BufferType::HttpRequestBody, 0, size, body);
    }

    /// Ends the attempt with an answer of the gateway's own.
    pub fn reply(&self, reply: &Reply) {
        send(reply);
    }
}

/// The answer's headers, in their callback.
pub struct AnswerHead(());

impl AnswerHead {
    /// Only for the callback of the answer's headers.
    pub fn enter() -> AnswerHead {
        AnswerHead(())
    }

    /// All headers, in one call.
    pub fn headers(&self) -> Headers {
        headers(MapType::HttpResponseHeaders)
    }

    /// Whether an engine answers, or what stands before it: the filters of its cluster, and
    /// what answers for a pool without servers. Envoy's own answers have other details (seen
    /// on Envoy 1.40).
    pub fn is_engines(&self) -> bool {
        let details = property(vec!["response", "code_details"]);
        matches!(details.as_deref(), None | Some("via_upstream" | "failed_to_inject_credential"))
    }

    /// Changes headers.
    pub fn edit(&self, edits: &[HeaderEdit]) {
        edit(MapType::HttpResponseHeaders, edits);
    }

    /// Puts another answer in the place of one that has no body.
    pub fn reply(&self, reply: &Reply) {
        send(reply);
    }
}

/// A chunk of the answer, in its callback. Its headers have gone on: the shell
/// must have removed a content-length that will not be true.
pub struct AnswerChunk {
    size: usize,
}

impl AnswerChunk {
    /// Only for the callback of the answer's body.
    pub fn enter(size: usize) -> AnswerChunk {
        AnswerChunk { size }
    }

    /// The chunk.
    pub fn bytes(&self) -> Vec<u8> {
        read(BufferType::HttpResponseBody, self.size)
    }

    /// Puts other bytes in its place, perhaps none.
    pub fn replace(&self, bytes: &[u8]) {
        let _ = hostcalls::set_buffer(BufferType::HttpResponseBody, 0, self.size, bytes);
    }
}

/// Keeps a value in the stream's filter state, where the access log finds it.
pub fn note(property: &str, value: &[u8]) {
    let _ = hostcalls::set_property(vec![property], Some(value));
}

fn send(reply: &Reply) {
    let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = Some(reply.body.as_bytes());
    let _ = hostcalls::send_http_response(u32::from(reply.status), headers, body);
}

fn headers(map: MapType) -> Headers {
    Headers(hostcalls::get_map_bytes(map).unwrap_or_default())
}

fn edit(map: MapType, edits: &[HeaderEdit]) {
    for edit in edits {
        let value = edit.value.as_deref().map(str::as_bytes);
        let _ = hostcalls::set_map_value_bytes(map, &edit.name, value);
    }
}

fn read(buffer: BufferType, size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    hostcalls::get_buffer(buffer, 0, size).ok().flatten().unwrap_or_default()
}
