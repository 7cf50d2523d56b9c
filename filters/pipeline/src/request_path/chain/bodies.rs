//! The body of each pool, told as changes of the one that goes out.

use chat::edit::Edit;
use contract::attempt::BodyEdit;
use std::ops::Range;

/// The changes that make of the body with `out`'s edits the one with `other`'s. Both are
/// edits of `body`, in the order of their places. `None`: they cannot be told, because what
/// stands there is no text or the places are none.
pub(super) fn between(body: &[u8], out: &[&Edit], other: &[&Edit]) -> Option<Vec<BodyEdit>> {
    let mut edits = Vec::new();
    // Bytes that `out` has put in and taken out before the place.
    let (mut put_in, mut taken_out) = (0_usize, 0_usize);
    for region in regions(out, other) {
        let sent = written(body, &region, out)?;
        let wanted = written(body, &region, other)?;
        let start = (region.start + put_in).checked_sub(taken_out)?;
        put_in += sent.len();
        taken_out += region.len();
        if sent != wanted {
            edits.push(BodyEdit {
                start: start as u64,
                end: (start + sent.len()) as u64,
                text: String::from_utf8(wanted).ok()?,
            });
        }
    }
    Some(edits)
}

/// Where anything is edited: places that touch are one.
fn regions(out: &[&Edit], other: &[&Edit]) -> Vec<Range<usize>> {
    let mut spans: Vec<_> = out.iter().chain(other).map(|edit| edit.span.clone()).collect();
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    let mut regions: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match regions.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => regions.push(span),
        }
    }
    regions
}

/// What stands in a region after the edits in it.
fn written(body: &[u8], region: &Range<usize>, edits: &[&Edit]) -> Option<Vec<u8>> {
    let first = edits.partition_point(|edit| edit.span.start < region.start);
    let mut text = Vec::new();
    let mut done = region.start;
    let inside = edits.iter().skip(first).take_while(|edit| edit.span.start <= region.end);
    for edit in inside {
        text.extend_from_slice(body.get(done..edit.span.start)?);
        text.extend_from_slice(&edit.text);
        done = edit.span.end;
    }
    text.extend_from_slice(body.get(done..region.end)?);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::edit::apply;
    use proptest::prelude::*;

    /// As the role `engine` does it.
    fn applied(sent: &[u8], edits: &[BodyEdit]) -> Vec<u8> {
        let edits: Vec<Edit> = edits
            .iter()
            .map(|edit| Edit {
                span: edit.start as usize..edit.end as usize,
                text: edit.text.clone().into_bytes(),
            })
            .collect();
        apply(sent, &edits).unwrap()
    }

    fn edit(span: Range<usize>, text: &str) -> Edit {
        Edit { span, text: text.into() }
    }

    #[test]
    fn what_both_have_is_not_told() {
        let body = br#"{"model":"m","a":"x"}"#;
        let masked = edit(18..19, "[MASKED]");
        let (big, small) = (edit(9..12, r#""big""#), edit(9..12, r#""small""#));
        let edits = between(body, &[&big, &masked], &[&small, &masked]).unwrap();
        let told = BodyEdit { start: 9, end: 14, text: r#""small""#.into() };
        assert_eq!(edits, [told]);
        assert_eq!(between(body, &[&masked], &[&masked]).unwrap(), []);
    }

    #[test]
    fn what_only_one_has_is_put_in_or_taken_out() {
        let body = br#"{"model":"m"}"#;
        let (salt, model) = (edit(1..1, r#""cache_salt":"s","#), edit(9..12, r#""n""#));
        let cap = edit(1..1, r#""max_tokens":5,"#);
        for (out, other) in [
            (vec![&salt, &cap, &model], vec![]),
            (vec![], vec![&salt, &model]),
            (vec![&cap, &model], vec![&salt, &model]),
            (vec![&salt], vec![&cap, &model]),
        ] {
            let sent = apply(body, &out).unwrap();
            let wanted = apply(body, &other).unwrap();
            assert_eq!(applied(&sent, &between(body, &out, &other).unwrap()), wanted);
        }
    }

    #[test]
    fn places_that_are_none_are_refused() {
        let beyond = edit(3..9, "x");
        assert_eq!(between(b"abc", &[&beyond], &[]), None);
        let crossed = [edit(0..2, "x"), edit(1..3, "y")];
        assert_eq!(between(b"abc", &[&crossed[0], &crossed[1]], &[]), None);
    }

    /// Gaps before edits, bytes that they replace, and by what.
    fn pieces() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
        prop::collection::vec((0_usize..6, 0_usize..4, "[a-c]{0,3}"), 0..6)
    }

    fn edits(pieces: Vec<(usize, usize, String)>) -> Vec<Edit> {
        let mut at = 0;
        let place = |(gap, length, text): (usize, usize, String)| {
            let start = at + gap;
            at = start + length;
            edit(start..at, &text)
        };
        pieces.into_iter().map(place).collect()
    }

    proptest! {
        #[test]
        fn the_changes_lead_from_one_body_to_the_other(out in pieces(), other in pieces()) {
            let body: Vec<u8> = (b'0'..=b'9').cycle().take(60).collect();
            let (out, other) = (edits(out), edits(other));
            let sent = apply(&body, &out).unwrap();
            let wanted = apply(&body, &other).unwrap();
            let (out, other): (Vec<_>, Vec<_>) = (out.iter().collect(), other.iter().collect());
            let told = between(&body, &out, &other).unwrap();
            prop_assert_eq!(applied(&sent, &told), wanted);
        }
    }
}
