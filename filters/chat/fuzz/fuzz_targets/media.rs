//! Any bytes as a medium: no panic, the bounds are monotonic, and an address
//! that passes is of a listed host for a parser of the URL standard as well.
//!
//! The first byte says what the rest is: an address, or a file of a kind.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chat::json::Str;
use chat::media::check;
use chat::medium::{Medium, Place};
use contract::policy::{MediaConfig, MediaKind};
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

fn rules(bound: u64) -> MediaConfig {
    MediaConfig {
        kinds: MediaKind::ALL.to_vec(),
        hosts: ["good.test", "*.wide.test", "port.test:8080", "10.0.0.7"]
            .map(String::from)
            .to_vec(),
        bytes_max: 1 << 20,
        pixels_max: bound * bound,
        pages_max: bound,
    }
}

fn address(input: &[u8]) {
    let Some(text) = std::str::from_utf8(input).ok().and_then(Str::plain) else { return };
    let medium = Medium::url(Place::Service, text, 0..0);
    let verdict = check(&[medium], &rules(9));
    verdict.err().map(|error| error.to_string());
    if verdict.is_err() {
        return;
    }
    let url = Url::parse(text.raw()).unwrap();
    assert!(url.username().is_empty() && url.password().is_none());
    let host = url.host_str().unwrap().trim_end_matches('.').to_owned();
    match (url.host().unwrap(), url.port()) {
        (Host::Domain(_), None) => assert!(host == "good.test" || host.ends_with(".wide.test")),
        (Host::Domain(_), Some(port)) => assert_eq!((host.as_str(), port), ("port.test", 8080)),
        (Host::Ipv4(address), port) => assert_eq!((address.octets(), port), ([10, 0, 0, 7], None)),
        (Host::Ipv6(_), _) => panic!("no such address is listed"),
    }
}

fn file(place: Place, bytes: &[u8]) {
    let verdict = |text: &str, bound| {
        let medium = Medium::base64(place, None, Str::plain(text).unwrap(), 0..0);
        check(&[medium], &rules(bound)).map_err(|error| error.fault)
    };
    let text = STANDARD.encode(bytes);
    let (narrow, wide) = (verdict(&text, 3), verdict(&text, 1000));
    assert!(narrow.is_err() || wide.is_ok());
    assert_eq!(verdict(&STANDARD_NO_PAD.encode(bytes), 3), narrow);
}

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    match how % 6 {
        0 => address(rest),
        1 => file(Place::File, rest),
        2 => file(Place::Medium(MediaKind::Image), rest),
        3 => file(Place::Medium(MediaKind::Audio), rest),
        4 => file(Place::Medium(MediaKind::Video), rest),
        _ => file(Place::Medium(MediaKind::Document), rest),
    }
});
