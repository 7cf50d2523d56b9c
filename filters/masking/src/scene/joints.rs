//! What stands between two runs of digits, told once for each pair.

/// What stands between groups, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joints(u8);

impl Joints {
    /// Nothing: one group.
    pub const NONE: Self = Self(0);
    /// Blanks or a line break alone.
    pub const SPACE: Self = Self(1);
    /// `-`, also with blanks around it.
    pub const HYPHEN: Self = Self(2);
    /// `.`
    pub const DOT: Self = Self(4);
    /// `/`
    pub const SLASH: Self = Self(8);
    /// `)`, also with a hyphen behind it.
    pub const BRACKET: Self = Self(16);
    /// `년`, `월`
    pub const HANGUL: Self = Self(32);

    /// Either.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is nothing but what `allowed` has.
    pub fn within(self, allowed: Self) -> bool {
        self.0 & !allowed.0 == 0
    }
}

/// Bytes of the longest gap: a separator, a line break and an indentation.
const GAP_BYTES_MAX: usize = 12;

/// What stands between a run of digits and the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap(u8);

impl Gap {
    /// Nothing but blanks and line breaks.
    const BLANK: u8 = 64;
    /// With the end of a line.
    const LINE: u8 = 128;

    /// Of what was found between two runs.
    pub fn of(gap: &str) -> Self {
        match gap.as_bytes() {
            b"-" => return Self(Joints::HYPHEN.0),
            b" " => return Self(Joints::SPACE.0 | Self::BLANK),
            b"." => return Self(Joints::DOT.0),
            _ if gap.len() > GAP_BYTES_MAX => return Self(0),
            _ => {}
        }
        let lines = gap.bytes().filter(|byte| *byte == b'\n').count();
        let mark = gap.trim_matches(is_blank);
        let joint = if lines > 1 { Joints::NONE } else { joint_of(mark) };
        let blank = if mark.is_empty() { Self::BLANK } else { 0 };
        Self(joint.0 | blank | if lines > 0 { Self::LINE } else { 0 })
    }

    /// What it joins groups with; `None` where it does not join.
    pub fn joint(self) -> Option<Joints> {
        let joints = self.0 & !(Self::BLANK | Self::LINE);
        (joints != 0).then_some(Joints(joints))
    }

    /// Whether nothing but blanks and line breaks stands there.
    pub fn is_blank(self) -> bool {
        self.0 & Self::BLANK != 0
    }

    /// Whether a line ends there, in a short gap.
    pub fn has_line(self) -> bool {
        self.0 & Self::LINE != 0
    }
}

fn joint_of(mark: &str) -> Joints {
    match mark {
        "" => Joints::SPACE,
        "-" => Joints::HYPHEN,
        "." => Joints::DOT,
        "/" => Joints::SLASH,
        ")" | ")-" | ") -" => Joints::BRACKET,
        "년" | "월" => Joints::HANGUL,
        _ => Joints::NONE,
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::{Gap, Joints};

    #[test]
    fn a_gap_joins_or_does_not() {
        for (gap, joint) in [
            ("-", Some(Joints::HYPHEN)),
            (" - ", Some(Joints::HYPHEN)),
            ("-\n  ", Some(Joints::HYPHEN)),
            (" ", Some(Joints::SPACE)),
            ("\n", Some(Joints::SPACE)),
            (".", Some(Joints::DOT)),
            (" / ", Some(Joints::SLASH)),
            (") - ", Some(Joints::BRACKET)),
            ("년 ", Some(Joints::HANGUL)),
            ("\n\n", None),
            (", ", None),
            ("--", None),
            ("             ", None),
        ] {
            assert_eq!(Gap::of(gap).joint(), joint, "{gap:?}");
        }
    }

    #[test]
    fn a_gap_of_blanks_may_end_lines() {
        assert!(Gap::of(" \n\n ").is_blank() && Gap::of(" \n\n ").has_line());
        assert!(Gap::of(" ").is_blank() && !Gap::of(" ").has_line());
        assert!(!Gap::of("-\n").is_blank() && Gap::of("-\n").has_line());
        assert!(!Gap::of("             ").is_blank());
    }
}
