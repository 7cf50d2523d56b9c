//! What may be masked or not: nobody is blamed for it, either way.

use crate::look_alikes::uuid;
use crate::rng::{LETTERS_DIGITS, Rng};
use crate::sample::Made;
use crate::values::network;

/// Of one kind; nothing where there is no such kind.
pub fn of(rng: &mut Rng, kind: &str) -> Option<Made> {
    let text = match kind {
        "loopback" => rng.pick(&["127.0.0.1", "::1", "0.0.0.0", "127.0.0.53"]).to_owned(),
        "cidr" => cidr(rng),
        "message id" => message_id(rng),
        "starred" => starred(rng),
        "company line" => {
            let shape = rng.pick(&["15##-####", "16##-####", "18##-####", "080-###-####"]);
            rng.shape(shape)
        }
        "plate" => {
            let middle = rng.pick(&["가", "나", "허", "하"]);
            format!("{}{middle} {}", rng.shape("%##"), rng.shape("####"))
        }
        "foreign passport" => {
            let shape = rng.pick(&["?????####", "??#######", "5########", "C##X##T##"]);
            rng.shape(shape)
        }
        _ => return None,
    };
    Some(Made::neutral("neutral", text))
}

fn cidr(rng: &mut Rng) -> String {
    let (network, bits) = rng.pick(&[
        ("10.0.0.0", 8),
        ("192.168.0.0", 16),
        ("172.16.0.0", 12),
        ("203.0.113.0", 24),
        ("10.12.0.0", 16),
        ("fe80::", 10),
        ("2001:db8::", 32),
        ("fd00::", 8),
    ]);
    format!("{network}/{bits}")
}

fn message_id(rng: &mut Rng) -> String {
    let host = network::host(rng);
    match rng.below(3) {
        0 => format!("<{}@mail.{host}>", rng.shape("20240###.%#####.&&&&")),
        1 => format!("<CAF+{}@mail.example.com>", rng.text(LETTERS_DIGITS, 26)),
        _ => format!("<{}@{host}>", uuid(rng)),
    }
}

fn starred(rng: &mut Rng) -> String {
    match rng.below(6) {
        0 => rng.shape("######-%******"),
        1 => rng.shape("010-****-####"),
        2 => rng.shape("%###-****-****-####"),
        3 => "ho***@naver.com".to_owned(),
        4 => "********".to_owned(),
        _ => rng.shape("***-**-####"),
    }
}
