//! HTTP/2 by hand: frames that no library would send (RFC 9113, RFC 7541).

use integration::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD_BYTES: usize = 9;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// One frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame that fits");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header block of literals that are not indexed and not compressed
/// (RFC 7541 §6.2.2): names and values reach the peer as they are.
pub fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        bytes.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            length(&mut bytes, text.len());
            bytes.extend_from_slice(text);
        }
    }
    bytes
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(bytes: &mut Vec<u8>, value: usize) {
    const PREFIX_MAX: usize = 127;
    if value < PREFIX_MAX {
        bytes.push(value as u8);
        return;
    }
    bytes.push(PREFIX_MAX as u8);
    let mut rest = value - PREFIX_MAX;
    while rest >= 128 {
        bytes.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    bytes.push(rest as u8);
}

/// What came back on the connection.
#[derive(Debug, Default)]
pub struct Heard {
    /// The data of every stream that was answered, in the order of their ends.
    pub bodies: Vec<Vec<u8>>,
    /// Whether a stream or the connection was ended instead.
    pub is_cut: bool,
}

/// Sends the frames behind a preface, and listens until every stream that the peer
/// answers has ended, or the connection has.
pub async fn exchange(address: &str, frames: &[u8], streams: usize) -> Result<Heard> {
    let mut wire = TcpStream::connect(address).await?;
    wire.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await?;
    // The peer may end the connection in the middle of it.
    let _ = wire.write_all(frames).await;
    let mut heard = Heard::default();
    let mut partial: Vec<(u32, Vec<u8>)> = Vec::new();
    while heard.bodies.len() < streams && !heard.is_cut {
        let Ok((kind, flags, stream, payload)) = next(&mut wire).await else {
            heard.is_cut = true;
            break;
        };
        match kind {
            SETTINGS if flags & ACK == 0 => {
                let _ = wire.write_all(&frame(SETTINGS, ACK, 0, &[])).await;
            }
            RST_STREAM | GOAWAY => heard.is_cut = true,
            DATA | HEADERS => {
                let at = partial.iter().position(|(id, _)| *id == stream).unwrap_or_else(|| {
                    partial.push((stream, Vec::new()));
                    partial.len() - 1
                });
                if kind == DATA {
                    partial[at].1.extend(payload);
                }
                if flags & END_STREAM != 0 {
                    heard.bodies.push(partial.swap_remove(at).1);
                }
            }
            _ => {}
        }
    }
    Ok(heard)
}

async fn next(wire: &mut TcpStream) -> std::io::Result<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; FRAME_HEAD_BYTES];
    wire.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; length as usize];
    wire.read_exact(&mut payload).await?;
    Ok((head[3], head[4], stream, payload))
}

#[test]
fn lengths_are_those_of_the_standard() {
    for (value, expected) in
        [(10, vec![10]), (126, vec![126]), (127, vec![127, 0]), (1337, vec![127, 186, 9])]
    {
        let mut bytes = Vec::new();
        length(&mut bytes, value);
        assert_eq!(bytes, expected, "{value}");
    }
}
