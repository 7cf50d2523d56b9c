//! How the API server is reached, and how its refusals are told.

use crate::reason;
use http_body_util::Limited;
use kube::client::{AuthError, ClientBuilder};
use kube::config::{KubeConfigOptions, KubeconfigError};
use kube::core::Status;
use kube::{Client, Config};
use tower::util::MapResponseLayer;

/// Largest answer, a watch included, in bytes: a page of 100 slices with 1,000
/// endpoints each fits; a server that never stops is cut off.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A client: of the API server at the URL `api`, without credentials; else with
/// the service account of the pod, else with the user's kubeconfig.
///
/// # Errors
/// Why there is none; holds no credentials.
pub(super) async fn client(api: Option<&str>) -> Result<Client, String> {
    match api {
        Some(url) => connect(Config::new(url.parse().map_err(|_| "`api` is not a URL")?)),
        None => connect(inferred().await?),
    }
}

/// A client as `config` says, that leaves retries to its caller and bounds the
/// size of answers.
pub(super) fn connect(mut config: Config) -> Result<Client, String> {
    config.default_retry = false;
    let builder = ClientBuilder::try_from(config).map_err(|error| told(&error))?;
    let bounded = MapResponseLayer::new(|answer: http::Response<_>| {
        answer.map(|body| Limited::new(body, ANSWER_BYTES_MAX))
    });
    Ok(builder.with_layer(&bounded).build())
}

async fn inferred() -> Result<Config, String> {
    let no_account = match Config::incluster() {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    let kubeconfig = Config::from_kubeconfig(&KubeConfigOptions::default()).await;
    kubeconfig.map_err(|error| {
        let (account, kubeconfig) = (reason::chain(&no_account), kubeconfig_told(&error));
        format!(
            "no credentials for Kubernetes: service account: {account}; kubeconfig: {kubeconfig}"
        )
    })
}

/// The parser quotes what it read, which may be a token.
fn kubeconfig_told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "it is not the YAML of a kubeconfig".to_owned(),
        error => reason::chain(error),
    }
}

/// What went wrong, without anything that a credentials plugin printed.
pub(super) fn told(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => refused(status),
        error if is_of_credentials(error) => {
            "the credentials for Kubernetes cannot be had".to_owned()
        }
        kube::Error::Service(error) => {
            format!("Kubernetes cannot be reached: {}", reason::chain(error.as_ref()))
        }
        error => format!("Kubernetes cannot be asked: {}", reason::chain(error)),
    }
}

/// What the API server said against a request.
pub(super) fn refused(status: &Status) -> String {
    let why = reason::one_line(&status.message);
    match status.code {
        403 => format!(
            "Kubernetes refuses (403): {why}; it takes `list` and `watch` on endpointslices"
        ),
        code => format!("Kubernetes answers {code}: {why}"),
    }
}

fn is_of_credentials(error: &kube::Error) -> bool {
    let mut causes = reason::causes(error).into_iter();
    causes.any(|cause| {
        cause.is::<AuthError>()
            || matches!(cause.downcast_ref::<kube::Error>(), Some(kube::Error::Auth(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_what_is_missing() {
        let status = Status::failure("pods is\nforbidden", "Forbidden").with_code(403);
        assert_eq!(
            refused(&status),
            "Kubernetes refuses (403): pods is forbidden; it takes `list` and `watch` on endpointslices"
        );
    }

    #[test]
    fn a_page_of_html_is_cut() {
        let status = Status::failure(&"<br>\n".repeat(1000), "").with_code(502);
        let told = refused(&status);
        assert!(told.starts_with("Kubernetes answers 502: <br> <br>"), "{told}");
        assert!(told.len() < 400, "{told}");
    }

    #[test]
    fn what_a_credentials_plugin_printed_is_not_told() {
        let printed = AuthError::AuthExec("ExecCredential token: made-up-token".to_owned());
        let direct = told(&kube::Error::Auth(printed));
        assert_eq!(direct, "the credentials for Kubernetes cannot be had");

        let printed = AuthError::AuthExec("made-up-token".to_owned());
        assert_eq!(told(&kube::Error::Service(Box::new(printed))), direct);
    }
}
