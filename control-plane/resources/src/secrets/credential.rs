//! The credentials of pools: each is a secret of its own, which Envoy keeps out of its
//! dumps, and a filter on the way to the pool's servers puts it on every attempt.

use super::SecretResource;
use crate::well_known::over_ads;
use crate::{Material, TranslateError};
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, TypedExtensionConfig, data_source::Specifier,
};
use envoy_types::pb::envoy::extensions::filters::http::credential_injector::v3::CredentialInjector;
use envoy_types::pb::envoy::extensions::http::injected_credentials::generic::v3::Generic;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    GenericSecret, SdsSecretConfig, Secret, secret,
};
use envoy_types::util::pack_any;
use plan::{CredentialPlan, PoolPlan};
use prost::Message as _;

/// The whole value of a header by which engines know the gateway. It is a secret and
/// therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Takes what the header is to say.
    #[must_use]
    pub fn new(value: &str) -> Credential {
        Credential(value.to_owned())
    }
}

/// The secrets of all pools that have one, in the order of the pools.
pub(crate) fn of_pools(
    pools: &[PoolPlan],
    material: &Material,
) -> Result<Vec<SecretResource>, TranslateError> {
    let plans = pools.iter().filter_map(|pool| pool.credentials.as_ref());
    plans
        .map(|plan| match material.credentials.get(&plan.secret) {
            Some(credential) => Ok(resource(&plan.secret, credential)),
            None => Err(TranslateError::NotRead(format!("the secret {}", plan.secret))),
        })
        .collect()
}

fn resource(name: &str, credential: &Credential) -> SecretResource {
    let value = Specifier::InlineString(credential.0.clone());
    SecretResource(Secret {
        name: name.to_owned(),
        r#type: Some(secret::Type::GenericSecret(GenericSecret {
            secret: Some(DataSource { specifier: Some(value), ..DataSource::default() }),
            ..GenericSecret::default()
        })),
    })
}

/// What puts the credential on an attempt. As long as Envoy has not got the secret, the
/// attempt is refused and nothing is sent (seen: a local 401).
pub(crate) fn injector(plan: &CredentialPlan) -> CredentialInjector {
    let generic = Generic {
        credential: Some(SdsSecretConfig {
            name: plan.secret.clone(),
            sds_config: Some(over_ads(false)),
        }),
        header: plan.header.clone(),
        ..Generic::default()
    };
    CredentialInjector {
        overwrite: true,
        allow_request_without_credential: false,
        credential: Some(TypedExtensionConfig {
            name: "envoy.http.injected_credentials.generic".to_owned(),
            typed_config: Some(pack_any(generic)),
        }),
    }
}

/// The secret that a filter asks for by name.
pub(crate) fn asked_for(filter: &CredentialInjector) -> Result<String, TranslateError> {
    let any = filter.credential.as_ref().and_then(|one| one.typed_config.as_ref());
    let generic = any.map_or_else(|| Ok(Generic::default()), |any| Generic::decode(&*any.value));
    let generic = generic.map_err(|why| TranslateError::Unreadable {
        what: "the credential of a pool".to_owned(),
        why: why.to_string(),
    })?;
    Ok(generic.credential.map(|one| one.name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> CredentialPlan {
        let (header, secret) = ("api-key".to_owned(), "credential/a".to_owned());
        CredentialPlan { header, secret }
    }

    #[test]
    fn an_attempt_without_the_secret_is_refused() {
        let filter = injector(&plan());
        assert!(!filter.allow_request_without_credential && filter.overwrite);
        assert_eq!(asked_for(&filter).unwrap(), "credential/a");
    }

    #[test]
    fn the_value_stands_in_the_secret_alone() {
        let secret = resource("credential/a", &Credential::new("made-up"));
        assert_eq!(format!("{secret:?}"), r#"SecretResource("credential/a")"#);
        let Some(secret::Type::GenericSecret(told)) = &secret.reveal().r#type else {
            panic!("no generic secret")
        };
        let value = told.secret.as_ref().and_then(|source| source.specifier.clone());
        assert_eq!(value, Some(Specifier::InlineString("made-up".to_owned())));
    }
}
