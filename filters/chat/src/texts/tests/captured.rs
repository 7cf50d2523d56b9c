//! Every recorded request to a real engine.

use super::*;
use crate::captures::{files, message};

#[test]
fn what_is_said_is_found_and_the_rest_stays() {
    let mut changed = 0;
    for path in files(".request.http") {
        let message = message(&path);
        let Ok(body) = std::str::from_utf8(&message.body) else { continue };
        let at = message.path().to_owned();
        let Some(api) = Api::of(&at).filter(|_| parse(body.as_bytes()).is_ok()) else { continue };
        let out = replaced(&api, body, "e", "⟦\"");
        let (one, other) =
            (serde_json::from_str(body).unwrap(), serde_json::from_str(&out).unwrap());
        assert!(same_but_for(&one, &other), "{}", path.display());
        for part in ["model", "tools", "stream_options", "response_format", "tool_choice", "stream"]
        {
            assert_eq!(one[part], other[part], "{}", path.display());
        }
        for (message, new) in messages(&one).iter().zip(messages(&other)) {
            for part in ["role", "name", "tool_call_id"] {
                assert_eq!(message[part], new[part], "{}", path.display());
            }
            let says = |message: &Value| message["content"].as_str().map(str::to_owned);
            assert_eq!(says(message).map(|said| said.replace('e', "⟦\"")), says(new));
        }
        changed += usize::from(out != body);
    }
    assert!(changed > 60, "{changed}");
}

fn messages(body: &Value) -> &[Value] {
    body["messages"].as_array().map_or(&[], Vec::as_slice)
}
