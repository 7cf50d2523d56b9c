//! Any text folded: places of what is read lie in the text, on its characters and in
//! its order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use masking::Folded;

fuzz_target!(|text: &str| {
    let folded = Folded::of(text);
    let read = folded.text();
    assert!(folded.is_changed() || read == text);
    let mut end = 0;
    for (at, c) in read.char_indices() {
        let was = folded.original(at..at + c.len_utf8());
        assert!(was.start >= end && was.start < was.end);
        assert!(text.get(was.clone()).is_some());
        end = was.end;
        let rest = folded.original(at..read.len());
        assert!(rest.start == was.start && text.get(rest).is_some());
    }
});
