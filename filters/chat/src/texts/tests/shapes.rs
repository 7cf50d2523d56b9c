//! What the texts of each API are. A text that is found begins with `T`, and one that
//! is none with `N`.

use super::*;

/// Every text of a body is one that should be, and none is missing.
fn check(api: &Api<'_>, body: &str) {
    let told = told(api, body);
    let is_text = |text: &&String| {
        text.starts_with('T') || text.starts_with("json:") && !text.contains("\"N")
    };
    for text in &told {
        assert!(is_text(&text), "{text} is no text");
    }
    let all: String = told.concat();
    let count = |text: &str| text.matches("\"T").count();
    let inside = told.iter().filter(|text| text.starts_with('T')).count();
    assert_eq!(inside + count(&all), count(body), "{told:?}");
}

#[test]
fn chat() {
    check(
        &Api::Chat,
        r#"{"model":"N","messages":[
        {"role":"Nsystem","name":"N","content":"T1"},
        {"role":"user","content":[{"type":"text","text":"T2"},"T3",{"type":"Nx","unknown":"T4"},
            {"type":"image_url","image_url":{"url":"https://N","detail":"N"}},
            {"type":"image_url","image_url":"data:N"},
            {"type":"file","file":{"file_data":"data:N","filename":"T5","file_id":"N"}},
            {"type":"text","text":"T6","cache_control":{"type":"N","ttl":"N"}}]},
        {"role":"assistant","content":null,"refusal":"T7","reasoning":"T8","reasoning_content":"T9",
            "reasoning_details":[{"type":"N","text":"T10","signature":"N","id":"N","format":"N"}],
            "audio":{"id":"N"},
            "tool_calls":[{"id":"N","type":"N","function":{"name":"N","arguments":"T11"}},
                {"id":"N","type":"custom","custom":{"name":"N","input":"T12"}}],
            "function_call":{"name":"N","arguments":"T13"}},
        {"role":"tool","tool_call_id":"N","content":"T14"},
        {"role":"tool","tool_call_id":"N","content":[{"type":"text","text":"T15"}]}],
        "tools":[{"type":"N","function":{"name":"N","description":"N","parameters":{"enum":["N"]}}}],
        "functions":[{"name":"N","description":"N"}],"tool_choice":{"function":{"name":"N"}},
        "response_format":{"type":"N","json_schema":{"name":"N","schema":{"enum":["N"]}}},
        "logit_bias":{"N":1},"stop":["T16","T17"],"user":"T18","metadata":{"Tname":"T19"},
        "safety_identifier":"T20","prompt_cache_key":"T21","reasoning_effort":"N","modalities":["N"],
        "service_tier":"N","verbosity":"N","prediction":{"type":"N","content":"T22"},
        "stream_options":{"x":"N"},"unknown":"T23","audio":{"voice":"N"},"guided_choice":["N"],
        "top":{"Tx":["T24",5]},"documents":[{"title":"T25","text":"T26"}],"ids":[1,2,[3]]}"#,
    );
}

#[test]
fn completions_embeddings_and_rerank() {
    check(
        &Api::Completions,
        r#"{"model":"N","prompt":["T1","T2"],"suffix":"T3","stop":"T4","user":"T5","echo":true}"#,
    );
    check(&Api::Completions, r#"{"model":"N","prompt":"T1"}"#);
    check(&Api::Completions, r#"{"model":"N","prompt":[[1,2],[3]]}"#);
    check(
        &Api::Embeddings,
        r#"{"model":"N","input":["T1",{"text":"T2"}],"encoding_format":"N","user":"T3",
        "messages":[{"role":"N","content":[{"type":"image_url","image_url":{"url":"data:N"}},{"type":"text","text":"T4"}]}]}"#,
    );
    check(&Api::Embeddings, r#"{"model":"N","input":[128000,8801011234567]}"#);
    check(
        &Api::Rerank,
        r#"{"model":"N","query":"T1","documents":["T2",{"text":"T3","id":"N","name":"T4","image":"data:N","content":[{"type":"N","text":"T5"}]}],"rank_fields":["N"]}"#,
    );
}

#[test]
fn responses() {
    check(
        &Api::Responses,
        r#"{"model":"N","instructions":"T1","input":[
        {"type":"N","role":"user","content":[{"type":"input_text","text":"T2"},{"type":"input_image","image_url":"data:N","detail":"N"},{"type":"input_file","filename":"T3","file_data":"data:N","file_url":"https://N"}]},
        {"role":"user","content":"T4"},
        {"type":"message","id":"N","status":"N","role":"assistant","content":[{"type":"output_text","text":"T5","annotations":[]},{"type":"refusal","refusal":"T6"}]},
        {"type":"function_call","id":"N","call_id":"N","name":"N","arguments":"T7"},
        {"type":"function_call_output","call_id":"N","output":"T8"},
        {"type":"function_call_output","call_id":"N","output":[{"type":"input_text","text":"T9"}]},
        {"type":"custom_tool_call","name":"N","input":"T10"},
        {"type":"reasoning","id":"N","summary":[{"type":"summary_text","text":"T11"}],"content":[{"type":"N","text":"T12"}],"encrypted_content":"N"},
        {"type":"mcp_list_tools","tools":[{"name":"N"}]},
        {"type":"computer_call_output","output":{"type":"N","image_url":"data:N"}}],
        "prompt":{"id":"N","version":"N","variables":{"name":"T13","x":{"type":"input_text","text":"T14"},"y":{"type":"input_image","image_url":"data:N"}}},
        "text":{"format":{"type":"N","name":"N","schema":{"enum":["N"]}},"verbosity":"N"},
        "reasoning":{"effort":"N"},"previous_response_id":"N","conversation":"N","include":["N"],
        "tools":[{"name":"N"}],"tool_choice":"N","truncation":"N","metadata":{"a":"T15"},"user":"T16"}"#,
    );
    check(
        &Api::Responses,
        r#"{"model":"N","input":"T1","instructions":[{"role":"N","content":"T2"}]}"#,
    );
}

#[test]
fn messages() {
    check(
        &Api::Messages,
        r#"{"model":"N","system":[{"type":"N","text":"T1","cache_control":{"type":"N"}}],
        "messages":[{"role":"N","content":"T2"},
        {"role":"N","content":[{"type":"text","text":"T3"},
            {"type":"image","source":{"type":"base64","media_type":"N","data":"N"}},
            {"type":"image","source":{"type":"url","url":"https://N"}},
            {"type":"document","title":"T4","context":"T5","source":{"data":"T6","media_type":"N","type":"text"}},
            {"type":"document","source":{"type":"content","content":[{"type":"N","text":"T7"}]}},
            {"type":"tool_result","tool_use_id":"N","content":"T8"},
            {"type":"tool_result","tool_use_id":"N","content":[{"type":"N","text":"T9"},{"type":"image","source":{"data":"N","type":"base64"}}]}]},
        {"role":"N","content":[{"type":"thinking","thinking":"T10","signature":"N"},
            {"type":"tool_use","id":"N","name":"N","input":{"Ta":"T11","b":{"c":["T12",7]}}}]}],
        "stop_sequences":["T13"],"metadata":{"user_id":"T14"},"tools":[{"name":"N","input_schema":{"enum":["N"]}}],
        "tool_choice":{"type":"N","name":"N"},"thinking":{"type":"N"},"mcp_servers":[{"url":"N","name":"N"}]}"#,
    );
    check(&Api::Messages, r#"{"model":"N","system":"T1","messages":"T2"}"#);
}

#[test]
fn another_spelling_is_a_text() {
    let body = r#"{"model":"m","Model":"T1","messages":[{"Role":"T2","rol\u0065":"T3","Content":[{"Type":"T4","Image_URL":"T5"}],"ID":"T6"}],"Tools":["T7"],"t\u006fols":"T8","tools ":"T9"}"#;
    let image = r#"json:[{"Type":"T4","Image_URL":"T5"}]"#;
    let expected = ["T1", "T2", "T3", image, "T6", r#"json:["T7"]"#, "T8", "T9"];
    assert_eq!(told(&Api::Chat, body), expected);
}

#[test]
fn what_is_no_medium_in_the_place_of_one_is_a_text() {
    let body = r#"{"model":"m","messages":[{"content":[{"image_url":"T1 010"},{"image_url":{"url":"T2"}},{"input_audio":{"data":"T3"}},{"data":"T4"},{"source":{"data":"T5"}},{"source":"T6"},{"source":{"type":"b\u0061se64","data":"T7"}}]}]}"#;
    check(&Api::Messages, body);
}

#[test]
fn json_is_told_as_json() {
    for (body, expected) in [
        (r#"{"model":"m","metadata":{"a" : 1}}"#, vec![r#"json:{"a" : 1}"#]),
        (r#"{"model":"m","x":[1,[2]],"y":[],"z":5,"w":{}}"#, vec![]),
        (
            r#"{"model":"m","x":" {\"a\":1} ","y":"{a}","z":"{} x"}"#,
            vec![r#"json: {"a":1} "#, "{a}", "{} x"],
        ),
        (r#"{"model":"m","x":"5","y":"\"a\"","z":""}"#, vec!["5", "\"a\""]),
    ] {
        assert_eq!(told(&Api::Chat, body), expected, "{body}");
    }
}

#[test]
fn what_is_no_text_never_changes() {
    let body = r#"{"model":"X","messages":[{"role":"X","name":"X","tool_call_id":"X","content":"X"},{"tool_calls":[{"id":"X","function":{"name":"X","arguments":"{\"X\":\"X\"}"}}]}],"tools":[{"function":{"name":"X","description":"X","parameters":{"enum":["X"]}}}]}"#;
    let out = replaced(&Api::Chat, body, "X", "[P]");
    let expected = body
        .replace(r#""content":"X""#, r#""content":"[P]""#)
        .replace(r#"{\"X\":\"X\"}"#, r#"{\"[P]\":\"[P]\"}"#);
    assert_eq!(out, expected);
}
