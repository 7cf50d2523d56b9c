//! Where a domain ends: RFC 1035 §2.3.1 and RFC 5890 labels, and what the root zone
//! knows as the last one. Behind `example.com` a sentence may go on without a space.

/// Countries, ISO 3166-1 as the root zone has them, each of two letters.
const COUNTRIES: &str = "acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybz\
    cacccdcfcgchcickclcmcncocrcucvcwcxcyczdedjdkdmdodzeceeegereseteufifjfkfmfofrgagbgdgegfggghgiglgm\
    gngpgqgrgsgtgugwgyhkhmhnhrhthuidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlslt\
    lulvlymamcmdmemgmhmkmlmmmnmompmqmrmsmtmumvmwmxmymznancnenfngninlnonrnunzompapepfpgphpkplpmpnprps\
    ptpwpyqarerorsrurwsasbscsdsesgshsiskslsmsnsosrssstsvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugukus\
    uyuzvavcvevgvivnvuwfwsyeytzazmzw";

/// Generic ones that people have addresses in, and those of RFC 2606, RFC 6762 and
/// RFC 9476 that are made up.
const GENERIC: &[&str] = &[
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "name",
    "pro",
    "mobi",
    "aero",
    "asia",
    "coop",
    "jobs",
    "museum",
    "post",
    "tel",
    "travel",
    "arpa",
    "app",
    "dev",
    "page",
    "blog",
    "shop",
    "store",
    "online",
    "site",
    "website",
    "tech",
    "xyz",
    "top",
    "club",
    "cloud",
    "email",
    "mail",
    "live",
    "life",
    "world",
    "today",
    "news",
    "media",
    "agency",
    "company",
    "group",
    "team",
    "work",
    "works",
    "space",
    "digital",
    "design",
    "studio",
    "systems",
    "solutions",
    "services",
    "network",
    "global",
    "international",
    "foundation",
    "university",
    "academy",
    "school",
    "college",
    "health",
    "care",
    "clinic",
    "hospital",
    "legal",
    "law",
    "bank",
    "finance",
    "financial",
    "insurance",
    "capital",
    "fund",
    "money",
    "consulting",
    "support",
    "software",
    "technology",
    "security",
    "zone",
    "center",
    "city",
    "seoul",
    "tokyo",
    "london",
    "berlin",
    "paris",
    "nyc",
    "art",
    "fun",
    "games",
    "game",
    "video",
    "tv",
    "photo",
    "social",
    "community",
    "chat",
    "link",
    "click",
    "host",
    "hosting",
    "domains",
    "web",
    "wiki",
    "data",
    "ai",
    "bot",
    "run",
    "sh",
    "codes",
    "engineering",
    "science",
    "bio",
    "eco",
    "energy",
    "green",
    "earth",
    "farm",
    "food",
    "kitchen",
    "restaurant",
    "cafe",
    "coffee",
    "hotel",
    "house",
    "homes",
    "realty",
    "rent",
    "auto",
    "car",
    "taxi",
    "tours",
    "events",
    "party",
    "wedding",
    "family",
    "love",
    "vip",
    "ltd",
    "inc",
    "llc",
    "gmbh",
    "limited",
    "holdings",
    "ventures",
    "partners",
    "associates",
    "samsung",
    "hyundai",
    "kia",
    "google",
    "apple",
    "amazon",
    "microsoft",
    "naver",
    "example",
    "test",
    "invalid",
    "localhost",
    "local",
    "internal",
    "lan",
    "corp",
    "home",
    "intranet",
    "private",
    "alt",
];

/// Those in Hangul; `xn--3e0b707e` and others are read by their prefix.
const HANGUL: &[&str] = &["한국", "닷컴", "닷넷", "삼성"];

/// RFC 1035 §2.3.4.
const DOMAIN_BYTES_MAX: usize = 253;

/// Whether a character is a syllable of Hangul.
#[must_use]
pub fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// Where the domain that begins at a place ends; `None` where none does. A line may end
/// behind the `@` and around a dot, where the rest is a domain.
#[must_use]
pub fn domain_end(text: &str, from: usize) -> Option<usize> {
    let from = from + breaks(text.get(from..)?);
    let (mut at, mut end) = (from, None);
    let mut before: Option<&str> = None;
    loop {
        let rest = text.get(at..)?;
        if before.is_some()
            && let Some(length) = last_label(rest)
            && !(end.is_some() && begins_sentence(before, rest))
        {
            end = Some(at + length);
        }
        let label = label(rest, end.is_some());
        let Some(dot) = dot_behind(rest, label, end.is_some()) else { break };
        if label.is_empty() || at + label.len() - from > DOMAIN_BYTES_MAX {
            break;
        }
        before = Some(label);
        at += label.len() + dot;
    }
    end
}

/// How many bytes the dot behind a label has: with the end of a line only where the
/// domain is not `whole` before it.
fn dot_behind(rest: &str, label: &str, whole: bool) -> Option<usize> {
    let behind = rest.get(label.len()..)?;
    let first = breaks(behind);
    let dot = behind.get(first..)?.strip_prefix('.')?;
    let second = breaks(dot);
    let broken = usize::from(first > 0) + usize::from(second > 0);
    (broken == 0 || (broken == 1 && !whole)).then_some(first + 1 + second)
}

/// One end of a line, with spaces behind it.
fn breaks(text: &str) -> usize {
    let line = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'));
    line.map_or(0, |line| text.len() - line.trim_start_matches(' ').len())
}

/// The label that a text begins with. A line may end behind a `-` in it, where the
/// domain is not `whole` before it.
fn label(text: &str, whole: bool) -> &str {
    let is_of_label =
        |c: char| c == '-' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphabetic());
    let end = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.find(|c| !is_of_label(c)).unwrap_or(rest.len())
    };
    let first = end(0);
    let next = first + breaks(text.get(first..).unwrap_or_default());
    let broken = text.get(..first).is_some_and(|label| label.ends_with('-')) && next > first;
    let label = text.get(..if broken && !whole { end(next) } else { first }).unwrap_or_default();
    if label.starts_with('-') || label.ends_with('-') { "" } else { label }
}

/// The length of the last label of a domain that a text begins with.
fn last_label(text: &str) -> Option<usize> {
    if let Some(name) = HANGUL.iter().find(|name| text.starts_with(**name)) {
        return Some(name.len());
    }
    let ascii = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = text.get(..ascii)?;
    let goes_on = text.get(ascii..)?.starts_with('-')
        && text.get(ascii + 1..)?.starts_with(|c: char| c.is_ascii_alphanumeric());
    if name.eq_ignore_ascii_case("xn") {
        return punycode(text);
    }
    (!goes_on && is_known(name)).then_some(ascii).or_else(|| foreign(text))
}

/// RFC 3492 with the prefix of RFC 5890 §2.3.2.1.
fn punycode(text: &str) -> Option<usize> {
    let is_of_label = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let length = text.bytes().take_while(is_of_label).count();
    text.get(2..4).filter(|mark| *mark == "--" && length > 5).map(|_| length)
}

/// A last label in another script than Latin and Hangul.
fn foreign(text: &str) -> Option<usize> {
    let is_foreign = |c: &char| !c.is_ascii() && !is_hangul(*c) && c.is_alphabetic();
    let length: usize = text.chars().take_while(is_foreign).map(char::len_utf8).sum();
    (length >= 4).then_some(length)
}

fn is_known(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let countries = || COUNTRIES.as_bytes().chunks_exact(2).any(|two| two == lower.as_bytes());
    (lower.len() == 2 && countries()) || GENERIC.contains(&lower.as_str())
}

/// Whether a word behind a dot begins a sentence: large, where the label before is not.
fn begins_sentence(before: Option<&str>, rest: &str) -> bool {
    let is_upper = |text: &str| text.starts_with(|c: char| c.is_ascii_uppercase());
    is_upper(rest) && !before.is_some_and(is_upper)
}

#[cfg(test)]
mod tests {
    use super::domain_end;

    #[test]
    fn a_domain_ends_in_what_the_root_knows() {
        let table = [
            ("example.com", "example.com"),
            ("example.com.", "example.com"),
            ("example.co.kr이", "example.co.kr"),
            ("example.com.It", "example.com"),
            ("EXAMPLE.CO.KR", "EXAMPLE.CO.KR"),
            ("한국.한국은", "한국.한국"),
            ("пример.рф", "пример.рф"),
            ("a.b.c.de-x", ""),
            ("example.com-으로", "example.com"),
            ("xn--a.xn--3e0b707e!", "xn--a.xn--3e0b707e"),
            ("localhost", ""),
            ("2x.png", ""),
            ("-a.com", ""),
        ];
        for (text, domain) in table {
            let end = domain_end(text, 0).unwrap_or(0);
            assert_eq!(text.get(..end), Some(domain), "{text}");
        }
    }
}
