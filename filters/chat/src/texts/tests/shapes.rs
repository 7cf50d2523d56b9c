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
    let expected = ["T1", "T2", "T3", image, "T6", r#"json:["T7"]"#, "T8", "tools ", "T9"];
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

#[test]
fn in_the_place_of_a_word_only_a_word_is_none() {
    let part = |member: &str| chat_of(&format!(r#"[{{"type":"text",{member}}}]"#));
    let word = [
        "detail",
        "format",
        "id",
        "index",
        "media_type",
        "name",
        "phase",
        "signature",
        "status",
        "tool_use_id",
        "uuid",
        "encrypted_content",
        "cache_control",
        "tools",
        "role",
    ];
    for name in word {
        for said in ["kim@example.com", "김민수", "a b", "010 1234"] {
            let body = part(&format!(r#""{name}":"{said}""#));
            assert_eq!(told(&Api::Chat, &body), [said], "{body}");
        }
        for known in [r#""user_1-a.b:c/d+e=""#, "null", "true", "5", "[]", r#""""#] {
            let body = part(&format!(r#""{name}":{known}"#));
            assert!(told(&Api::Chat, &body).is_empty(), "{body}");
        }
    }
    for name in ["detail", "format", "id", "phase", "signature", "status", "uuid"] {
        let object = r#"{"plain":["a","b"]}"#;
        let body = part(&format!(r#""{name}":{object}"#));
        assert_eq!(told(&Api::Chat, &body), [format!("json:{object}")], "{body}");
    }
    let named = r#"{"model":"m","messages":[{"role":"user","name":"kim.minsu@example.com","content":"x"},{"role":"a b","name":"kim","content":""}]}"#;
    assert_eq!(told(&Api::Chat, named), ["kim.minsu@example.com", "x", "a b"]);
}

#[test]
fn settings_hold_words_alone() {
    let texts = |api: &Api<'_>, member: &str| told(api, &format!(r#"{{"model":"m",{member}}}"#));
    for member in [
        r#""cache_control":{"type":"ephemeral","ttl":"5m"}"#,
        r#""thinking":{"type":"enabled","budget_tokens":10000}"#,
        r#""output_config":{"effort":"low","format":{"type":"json_schema","schema":{"enum":["a b"]}}}"#,
        r#""context_management":{"edits":[{"type":"a_1","trigger":{"type":"b","value":30000}}]}"#,
        r#""audio":{"voice":"alloy","format":"wav"},"conversation":{"id":"conv_1"}"#,
        r#""include":["a.b","c"],"reasoning_effort":"low","service_tier":null"#,
        r#""tools":[{"description":"a b"}],"tool_choice":{"x":"a b"},"logit_bias":{"1":4111111111}"#,
    ] {
        assert!(texts(&Api::Messages, member).is_empty(), "{member}");
    }
    let formats =
        r#""text":{"format":{"schema":"a b"},"verbosity":"low"},"reasoning":{"summary":"auto"}"#;
    assert!(texts(&Api::Responses, formats).is_empty());
    for (member, expected) in [
        (r#""cache_control":{"type":"a b","x":"plain"}"#, vec!["a b", "plain"]),
        (r#""text":{"foo":"a"},"reasoning":{"summary":"a b"}"#, vec!["a", "a b"]),
        (
            r#""conversation":"kim@a.co","audio":"x y","verbosity":"a b""#,
            vec!["kim@a.co", "x y", "a b"],
        ),
        (r#""include":["a b",{"c":"d"}]"#, vec!["a b", r#"json:{"c":"d"}"#]),
        (r#""thinking":{"x":4111111111111111}"#, vec!["json:4111111111111111"]),
        (r#""seed":"a","top_p":["b"]"#, vec!["a", r#"json:["b"]"#]),
    ] {
        assert_eq!(texts(&Api::Responses, member), expected, "{member}");
    }
}

#[test]
fn long_numbers_are_texts_where_one_could_stand() {
    let long = "4111111111111111";
    let number = "json:4111111111111111";
    let all = |body: &str| told(&Api::Chat, &body.replace('#', long));
    for body in [
        chat_of("#"),
        chat_of("[#]"),
        chat_of(r#"[{"type":"text","text":#}]"#),
        chat_of(r#"[{"type":"image_url","image_url":#}]"#),
        r##"{"model":"m","user":#}"##.to_owned(),
        r##"{"model":"m","stop":[#]}"##.to_owned(),
        r##"{"model":"m","custom_x":#}"##.to_owned(),
        r##"{"model":"m","input":#}"##.to_owned(),
        r##"{"model":"m","documents":[#]}"##.to_owned(),
        r##"{"model":"m","documents":[{"title":#}]}"##.to_owned(),
        r##"{"model":"m","messages":[{"content":[{"type":"tool_use","input":#}]}]}"##.to_owned(),
        r##"{"model":"m","messages":[{"tool_calls":[{"function":{"arguments":#}}]}]}"##.to_owned(),
    ] {
        assert_eq!(all(&body), [number], "{body}");
        assert!(all(&body.replace('#', "123456")).is_empty(), "{body}");
    }
    for body in [r##"{"model":"m","custom_x":[#]}"##, r##"{"model":"m","metadata":[#]}"##] {
        assert_eq!(all(body), ["json:[4111111111111111]"], "{body}");
    }
    for body in [
        r##"{"model":"m","prompt":[#,[#]],"input":[#],"seed":#,"max_tokens":#,"logit_bias":{"1":#}}"##,
        r##"{"model":"m","messages":[{"id":#,"index":#,"content":null}]}"##,
    ] {
        assert!(all(body).is_empty(), "{body}");
    }
}

#[test]
fn a_number_that_is_replaced_becomes_a_string() {
    let out = replaced(&Api::Chat, &chat_of("[1, -4111111111111111 ]"), "1111", "[P\"]");
    assert_eq!(out, chat_of(r#"[1, "[P\"]" ]"#));
}

#[test]
fn names_that_no_api_has_are_texts() {
    let body = r#"{"model":"m","a b":1,"messages":[{"role":"user","content":[{"type":"text","kim@a.co":1,"text":"x","plain_1":2}],"kim.minsu@example.com":1,"010-1234-5678":null,"t\u0079pe":true}],"tools":[{"a b":1}]}"#;
    let expected = ["a b", "kim@a.co", "x", "kim.minsu@example.com", "010-1234-5678"];
    assert_eq!(told(&Api::Chat, body), expected);
    let out = replaced(&Api::Chat, body, "kim.minsu@example.com", "[P\"]");
    assert_eq!(out, body.replace("kim.minsu@example.com", r#"[P\"]"#));
}

#[test]
fn what_only_begins_as_data_is_a_text() {
    let base64 = "iVBORw0KGgo/".repeat(90);
    let body = |data: &str| chat_of(&format!(r#"[{{"type":"text","text":"","data":"{data}"}}]"#));
    assert!(told(&Api::Chat, &body(&base64)).is_empty());
    let tail = format!("{base64} kim.minsu@example.com");
    assert_eq!(told(&Api::Chat, &body(&tail)), [tail]);
}
