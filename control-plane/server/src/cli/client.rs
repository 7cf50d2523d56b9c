//! A client of the admin API, which it finds by a configuration file or an
//! address.

use crate::args::{TOKEN_VARIABLE, Target};
use crate::config_file;
use crate::error::Failure;
use crate::listen::reachable;
use crate::run_file::Run;
use crate::token;
use model::Secret;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The data folder of a configuration that names none.
const DATA_DEFAULT: &str = "tollgate-data";

/// One running Tollgate.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Secret,
}

/// A query, name and value.
pub type Query<'a> = [(&'static str, &'a str)];

impl Client {
    /// The one that is meant.
    pub fn of(target: &Target) -> Result<Client, Failure> {
        // A Tollgate on this machine is not asked through a proxy.
        let (base, token, builder) = match &target.admin {
            Some(url) => {
                let base = url.trim_end_matches('/').to_owned();
                (base, token_of_environment()?, reqwest::Client::builder())
            }
            None => {
                let (base, token) = find(&target.config)?;
                (base, token, reqwest::Client::builder().no_proxy())
            }
        };
        let http = builder.build().map_err(Failure::internal)?;
        Ok(Client { http, base, token })
    }

    /// `GET`, as JSON.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &Query<'_>,
    ) -> Result<T, Failure> {
        json(self.request(Method::GET, path).query(query)).await
    }

    /// `GET` of an answer that may be long, in a media type, or the one that the query asks
    /// for.
    pub async fn get_parts(
        &self,
        path: &str,
        query: &Query<'_>,
        media_type: &str,
    ) -> Result<Parts, Failure> {
        let request = self.request(Method::GET, path).query(query).header(ACCEPT, media_type);
        Ok(Parts(send(request).await?))
    }

    /// `POST` with a body in JSON.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        json(self.request(Method::POST, path).json(body)).await
    }

    /// `POST` of what is to be done with one thing in a collection.
    pub async fn post_to<T: DeserializeOwned>(
        &self,
        path: &str,
        id: &str,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.post(&format!("{path}/{}/{verb}", escaped(id)), body).await
    }

    /// `PUT` of one thing in a collection.
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        id: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        json(self.request(Method::PUT, &format!("{path}/{}", escaped(id))).json(body)).await
    }

    /// `DELETE` of one thing in a collection.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str, id: &str) -> Result<T, Failure> {
        json(self.request(Method::DELETE, &format!("{path}/{}", escaped(id)))).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1/{path}", self.base);
        self.http.request(method, url).bearer_auth(self.token.reveal())
    }
}

/// An answer, part by part.
pub struct Parts(Response);

impl Parts {
    /// The next part; `None` at the end. An answer that was cut off is a failure.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let part = self.0.chunk().await.map_err(|error| unreachable(&error))?;
        Ok(part.map(|part| part.to_vec()))
    }
}

async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Failure> {
    send(request).await?.json().await.map_err(Failure::internal)
}

async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    let answer = request.send().await.map_err(|error| unreachable(&error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Value = answer.json().await.unwrap_or_default();
    let message = problem.pointer("/error/message").and_then(Value::as_str);
    Err(Failure::Refused(message.map_or_else(|| status.to_string(), str::to_owned)))
}

/// The innermost cause says it best: connection refused.
fn unreachable(error: &reqwest::Error) -> Failure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let at = error.url().map(|url| url.authority().to_owned()).unwrap_or_default();
    Failure::Unreachable(format!("{at}: {cause}"))
}

fn token_of_environment() -> Result<Secret, Failure> {
    let token = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty());
    let missing = || Failure::Usage(format!("--admin needs the admin token in {TOKEN_VARIABLE}"));
    token.map(Secret::new).ok_or_else(missing)
}

/// Address and token of the Tollgate that was started with `file`.
fn find(file: &Path) -> Result<(String, Secret), Failure> {
    let data = data_folder(file)?;
    let nobody = || Failure::Unreachable(format!("no tollgate is running on {}", data.display()));
    let admin = Run::read(&data).admin.ok_or_else(nobody)?;
    let token = token::read(&data).ok_or_else(nobody)?;
    Ok((format!("http://{}", reachable(admin)), token))
}

/// The data folder that `file` names. A file that is not valid at the moment
/// must not keep the operator from asking why.
pub fn data_folder(file: &Path) -> Result<PathBuf, Failure> {
    let bytes = std::fs::read(file).map_err(|e| Failure::file("read", file, e))?;
    let text = String::from_utf8_lossy(&bytes);
    let data = match config_file::load_text(file, &text) {
        Ok(loaded) => loaded.config.control.data,
        Err(_) => config_file::folder(file).join(named_data(&text).unwrap_or(DATA_DEFAULT)),
    };
    crate::files::absolute(&data)
}

/// What stands after `data:` in the section `control:`, written as a block or in
/// braces on one line.
fn named_data(text: &str) -> Option<&str> {
    let braces =
        text.lines().find_map(|line| line.strip_prefix("control:")?.trim().strip_prefix('{'));
    if let Some(fields) = braces {
        let fields = fields.split(['}', ',']).map(str::trim);
        let value = fields.filter_map(|field| field.strip_prefix("data:")).next()?;
        return Some(value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty());
    }
    let mut lines = text.lines().skip_while(|line| !line.starts_with("control:")).skip(1);
    let value = lines
        .by_ref()
        .take_while(|line| line.starts_with([' ', '#']) || line.is_empty())
        .find_map(|line| line.trim_start().strip_prefix("data:"))?;
    let value = value.split(" #").next().unwrap_or(value);
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then_some(value)
}

/// A key's id as one segment of a path.
fn escaped(id: &str) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.~".contains(b);
    let mut text = String::with_capacity(id.len());
    for byte in id.as_bytes() {
        if plain(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_folder_of_a_file_that_is_not_valid() {
        let table = [
            ("control:\n  data: ./here   # ours\nspeed: 1\n", Some("./here")),
            ("control:\n\n  # data: no\n  data: \"a b\"\n", Some("a b")),
            ("control:\n  admin: x\ngateway:\n  data: no\n", None),
            ("control: { admin: x, data: './here' }\nspeed: 1\n", Some("./here")),
            ("control: { admin: x }\n", None),
            ("data: no\n", None),
            ("", None),
        ];
        for (text, data) in table {
            assert_eq!(named_data(text), data, "{text}");
        }
    }

    #[test]
    fn an_id_is_one_segment() {
        assert_eq!(escaped("key_1f"), "key_1f");
        assert_eq!(escaped("yaml:acme/ci"), "yaml%3Aacme%2Fci");
    }

    #[tokio::test]
    async fn nobody_there_is_3() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tollgate.yaml");
        std::fs::write(&file, "version: 1\n").unwrap();
        let target = Target { config: file, admin: None };
        assert_eq!(Client::of(&target).err().unwrap().exit_code(), 3);

        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        crate::cryptography::choose();
        let http = reqwest::Client::new();
        let client =
            Client { http, base: format!("http://{free}"), token: Secret::new("made-up".into()) };
        let failure = client.get::<Value>("status", &[]).await.err().unwrap();
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.to_string().contains(&free.to_string()), "{failure}");
        assert!(!failure.to_string().contains("made-up"));
    }
}
