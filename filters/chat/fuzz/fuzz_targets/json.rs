//! Any bytes as JSON: no panic, and what is taken or refused is what another reader
//! takes or refuses, but for the rules that are ours alone. What is taken says the
//! same to both.

#![no_main]

use chat::json::{Events, Fault, Reason, Token};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

fuzz_target!(|body: &[u8]| {
    let other = serde_json::from_slice::<&RawValue>(body);
    match value(body) {
        Ok(told) => {
            assert!(other.is_ok());
            // Numbers out of a float's range are refused by this one.
            if let Ok(plain) = serde_json::from_slice::<Value>(body) {
                assert_eq!(told, plain);
            }
        }
        Err(fault) => {
            assert!(fault.at <= body.len());
            let (line, column) = fault.line_and_column(body);
            assert!(line >= 1 && column >= 1);
            assert!(fault.reason != Reason::Syntax || other.is_err());
        }
    }
});

/// The value that the events tell, with spans that are the tokens' own.
fn value(body: &[u8]) -> Result<Value, Fault> {
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    let mut name = None;
    let mut whole = None;
    let mut twice = false;
    let mut end = 0;
    for event in Events::of(body)? {
        let event = event?;
        assert!(event.span.start >= end && event.span.end <= body.len());
        end = event.span.end;
        let there = &body[event.span];
        let told = match event.token {
            Token::BeginObject => {
                open.push((Value::Object(Map::new()), name.take()));
                continue;
            }
            Token::BeginArray => {
                open.push((Value::Array(Vec::new()), name.take()));
                continue;
            }
            Token::Name(told) => {
                assert_eq!(there.len(), told.raw().len() + 2);
                name = Some(told.unescaped().into_owned());
                continue;
            }
            Token::EndObject | Token::EndArray => {
                let (value, own_name) = open.pop().unwrap();
                name = own_name;
                value
            }
            Token::String(told) => {
                let said = told.unescaped().into_owned();
                assert_eq!(serde_json::from_slice::<String>(there).unwrap(), said);
                Value::String(said)
            }
            Token::Number(number) => serde_json::from_str(number).unwrap_or_default(),
            Token::Bool(flag) => Value::Bool(flag),
            Token::Null => Value::Null,
        };
        match open.last_mut() {
            None => assert!(whole.replace(told).is_none()),
            Some((Value::Array(items), _)) => items.push(told),
            Some((Value::Object(members), _)) => {
                twice |= members.insert(name.take().unwrap(), told).is_some();
            }
            Some(_) => unreachable!("neither an object nor an array"),
        }
    }
    assert!(!twice, "no object says a name twice");
    Ok(whole.unwrap())
}
