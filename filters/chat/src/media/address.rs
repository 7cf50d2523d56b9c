//! Addresses that an engine would fetch. Engines read URLs with lenient
//! parsers (WHATWG URL, `urllib`, libcurl), which differ in what is odd; so
//! only what all of them read alike passes: a plain subset of RFC 3986.

/// Longest address that is taken: what common servers take as a request line.
const ADDRESS_BYTES_MAX: usize = 8 * 1024;

/// Longest host name (RFC 1035 §2.3.4, in text).
const HOST_BYTES_MAX: usize = 253;

/// Whether an address is `http` or `https`, plainly written, and of a host that
/// is listed: by its name, as `*.example.com` for every name below one, with
/// `:port` when the port is not the scheme's own. An address in numbers, or
/// one in brackets, must be listed itself.
pub(super) fn is_allowed(address: &str, hosts: &[String]) -> bool {
    let Some(authority) = Authority::of(address) else { return false };
    hosts.iter().any(|listed| authority.is(listed))
}

/// Host and port of an address.
#[derive(Debug, PartialEq, Eq)]
struct Authority {
    /// In lower case, without the dot of the root.
    host: String,
    /// Only one that is not the scheme's own.
    port: Option<u16>,
}

impl Authority {
    fn of(address: &str) -> Option<Self> {
        if address.len() > ADDRESS_BYTES_MAX || !address.bytes().all(is_plain) {
            return None;
        }
        let (scheme, rest) = address.split_once("://")?;
        let own_port = match scheme.to_ascii_lowercase().as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        // Parsers differ in whether `?` and `#` end an authority: only `/` does.
        let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
        let (host, port) = split_port(authority)?;
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        is_host(host)
            .then(|| Self { host: host.to_owned(), port: port.filter(|port| *port != own_port) })
    }

    fn is(&self, listed: &str) -> bool {
        let listed = listed.to_ascii_lowercase();
        let Some((host, port)) = split_port(&listed) else { return false };
        if port != self.port {
            return false;
        }
        match host.strip_prefix("*.") {
            Some(parent) => !is_address(&self.host) && is_below(&self.host, parent),
            None => self.host == host,
        }
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    let labels = host.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
    !parent.is_empty() && labels.is_some_and(|labels| !labels.is_empty())
}

/// What stands for itself in a URL: no space, no control character, nothing
/// beyond ASCII, no backslash, and nothing that RFC 3986 does not know.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#"\"<>^`{|}"#.contains(&byte)
}

/// `host`, `host:port`, `[address]` or `[address]:port`; the port in one way.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let tail = authority.get(bracket..)?;
    let Some(colon) = tail.find(':') else { return Some((authority, None)) };
    let (host, port) = authority.split_at_checked(bracket + colon)?;
    let digits = port.get(1..)?;
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_decimal || digits.starts_with('0') {
        return None;
    }
    Some((host, Some(digits.parse().ok()?)))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return !address.is_empty()
            && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
    }
    let is_label = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(is_letter)
    };
    host.len() <= HOST_BYTES_MAX && host.split('.').all(is_label)
}

/// Whether a host is an address and not a name: in brackets, or with a number
/// at its end, in any base (URL standard, "ends in a number").
fn is_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_decimal = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.starts_with('[') || is_decimal || is_hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hosts() -> Vec<String> {
        let listed = ["good.test", "*.wide.test", "port.test:8080", "10.0.0.7", "[2001:db8::1]"];
        listed.map(str::to_owned).to_vec()
    }

    #[test]
    fn takes_listed_hosts() {
        for address in [
            "http://good.test",
            "https://good.test/",
            "HTTPS://GOOD.Test/a/b.png?c=d&e=@f#g",
            "http://good.test./a",
            "http://good.test:80/a",
            "https://good.test:443/a",
            "https://a.wide.test/a",
            "https://a.b.wide.test/a",
            "http://port.test:8080/a",
            "http://10.0.0.7/a",
            "http://[2001:db8::1]/a",
            "http://[2001:DB8::1]:80/a",
            "https://good.test/a%20b@c:d//e",
        ] {
            assert!(is_allowed(address, &hosts()), "{address}");
        }
    }

    #[test]
    fn refuses_every_other_scheme_and_shape() {
        for address in [
            "",
            "good.test",
            "//good.test/a",
            "/a",
            "a",
            "http:/good.test/a",
            "http:good.test/a",
            "http:///good.test/a",
            "http:////good.test",
            "://good.test",
            "file:///etc/passwd",
            "file://good.test/a",
            "ftp://good.test/a",
            "gopher://good.test/a",
            "dict://good.test/a",
            "s3://good.test/a",
            "data://good.test/a",
            "jar:http://good.test/a",
            "url:http://good.test/a",
            "view-source:http://good.test",
            " http://good.test/a",
            "http://good.test/a ",
            "http://good.test/\ta",
            "ht\ntp://good.test/a",
            "http://good.test\r\nHost: evil.test/",
            "http://good.test/\0",
            "http://good.test/\u{7f}",
        ] {
            assert!(!is_allowed(address, &hosts()), "{address:?}");
        }
    }

    #[test]
    fn refuses_what_parsers_read_differently() {
        for address in [
            "http://good.test@evil.test/",
            "http://good.test:80@evil.test/",
            "http://evil.test@good.test/",
            "http://@good.test/",
            "http://good.test\\@evil.test/",
            "http://good.test\\.evil.test/",
            "http:\\\\good.test/",
            "http://good.test/\\evil.test",
            "http://good.test#@evil.test/",
            "http://good.test?@evil.test/",
            "http://good.test#/",
            "http://good.test?a",
            "http://evil.test?good.test",
            "http://evil.test#good.test",
            "http://evil.test#.wide.test/",
            "http://evil.test/.wide.test",
            "http://evil.test%2f.wide.test/",
            "http://evil.test%00.wide.test/",
            "http://g%6fod.test/",
            "http://good.test:/",
            "http://good.test:080/",
            "http://good.test:0/",
            "http://good.test:+80/",
            "http://good.test:80:80/",
            "http://good.test:65616/",
            "http://good.test:0x50/",
            "http://good.test:8080/",
            "https://good.test:80/",
            "http://port.test/",
            "http://good.test../",
            "http://.good.test/",
            "http://good..test/",
            "http://good.test;.wide.test/",
            "http://good.test,evil.test/",
            "http://evil.test&.wide.test/",
        ] {
            assert!(!is_allowed(address, &hosts()), "{address:?}");
        }
    }

    #[test]
    fn refuses_other_names_and_numbers() {
        for address in [
            "http://evil.test/",
            "http://good.test.evil.test/",
            "http://evilgood.test/",
            "http://sub.good.test/",
            "http://wide.test/",
            "http://evilwide.test/",
            "http://.wide.test/",
            "http://localhost/",
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://10.0.0.07/",
            "http://0xa.0.0.7/",
            "http://167772167/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:10.0.0.7]/",
            "http://[2001:db8:0::1]/",
            "http://[fe80::1%25eth0]/",
            "http://[2001:db8::1/",
            "http://2001:db8::1/",
            "http://[good.test]/",
            "http://go\u{3002}od.test/",
            "http://good\u{3002}test/",
            "http://\u{ff47}ood.test/",
            "http://go\u{ad}od.test/",
            "http://ⓖood.test/",
            "http://xn--good-.test/",
            "http://①②⑦.⓪.⓪.①/",
            "http:///",
            "http://",
        ] {
            assert!(!is_allowed(address, &hosts()), "{address:?}");
        }
    }

    #[test]
    fn a_pattern_never_takes_a_number() {
        let hosts = ["*.1".to_owned(), "*.".to_owned(), "*".to_owned(), "*.0x1".to_owned()];
        for address in ["http://127.0.0.1/", "http://127.1/", "http://a.1/", "http://a.0x1/"] {
            assert!(!is_allowed(address, &hosts), "{address}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_passes(address in "[Hht][t]{1,2}p(s|):?/{0,3}\\PC{0,24}") {
            let is_plain = address.contains("://good.test");
            prop_assert!(!is_allowed(&address, &["good.test".to_owned()]) || is_plain);
        }

        #[test]
        fn a_path_changes_nothing(path in "[a-z0-9@:?#./%&=]{0,40}") {
            let allowed = ["good.test".to_owned()];
            let (good, evil) = (format!("http://good.test/{path}"), format!("http://evil.test/{path}"));
            prop_assert!(is_allowed(&good, &allowed));
            prop_assert!(!is_allowed(&evil, &allowed));
        }
    }
}
