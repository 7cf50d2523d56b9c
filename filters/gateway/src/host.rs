//! Envoy, as far as the module may ask it for something.
//!
//! The SDK panics when the host answers a call with a status that it does not
//! expect, and a panic ends the VM with all streams of the worker. The host
//! answers so when a call is made outside of the phase that it belongs to. So
//! every call is a method of a phase, a phase exists only inside the callback
//! that it is named after, and a call that is impossible does not compile.

use contract::names::ANSWER_HEADER;
use pipeline::command::{HeaderEdit, Reply};
use pipeline::headers::Headers;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, Status};
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

/// Sets a name in that table, whatever it was before.
pub fn set_shared(name: &str, value: &[u8]) {
    let _ = hostcalls::set_shared_data(name, Some(value), None);
}

/// Sets a name in that table unless it is there already. The host inserts what is
/// missing whatever the version says, and refuses a version that cannot be.
pub fn set_shared_if_absent(name: &str, value: &[u8]) {
    let _ = hostcalls::set_shared_data(name, Some(value), Some(u32::MAX));
}

/// Sends a GET to the control plane. The answer comes to the context that asks.
///
/// # Errors
/// The host's status when Envoy has no such cluster or cannot send.
pub fn ask_control(cluster: &str, path: &str, timeout: Duration) -> Result<u32, Status> {
    let headers = vec![(":method", "GET"), (":path", path), (":authority", "control")];
    hostcalls::dispatch_http_call(cluster, headers, None, vec![], timeout)
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
        let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let _ = hostcalls::send_http_response(
            u32::from(reply.status),
            headers,
            Some(reply.body.as_bytes()),
        );
    }
}

/// Lets a request go on that was paused by an earlier callback.
pub fn resume_request(_held: HeldRequest) {
    let _ = hostcalls::resume_http_request();
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

    /// Changes headers.
    pub fn edit(&self, edits: &[HeaderEdit]) {
        edit(MapType::HttpResponseHeaders, edits);
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
