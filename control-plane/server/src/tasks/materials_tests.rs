use super::*;
use std::time::Duration;
use tokio::time::timeout;

/// A configuration that names files, and what is written to them.
struct World {
    folder: tempfile::TempDir,
    config: Config,
}

fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["gateway.example".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// Keys of an issuer, told apart by their ids.
fn keys(id: &str) -> String {
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    )
}

impl World {
    fn with((cert, key): &(String, String)) -> World {
        let folder = tempfile::tempdir().unwrap();
        let text = "version: 1\n\
             gateway: { tls: { cert: c.pem, key: k.pem, client_ca: ca.pem } }\n\
             tenants: { acme: {} }\n\
             auth: { jwt: [{ issuer: i, jwks: file:jwks.json, tenants: [acme] }] }\n";
        let file = folder.path().join("tollgate.yaml");
        let Ok(loaded) = crate::config_file::load_text(&file, text) else { panic!("not valid") };
        let world = World { config: loaded.config, folder };
        for (name, text) in [("c.pem", cert), ("k.pem", key), ("ca.pem", cert)] {
            world.put(name, text);
        }
        world.put("jwks.json", &keys("one"));
        world
    }

    fn plan(&self) -> Plan {
        crate::publish::plan(&self.config, "127.0.0.1:1".parse().unwrap())
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn in_force(&self) -> Materials {
        let materials = Materials::new();
        materials.in_force(materials.read(&self.config, &self.plan()).ok().unwrap());
        materials
    }

    fn why(&self, materials: &Materials) -> String {
        match materials.read(&self.config, &self.plan()) {
            Ok(_) => "it fits".to_owned(),
            Err(why) => why.to_string(),
        }
    }
}

#[test]
fn what_is_wrong_at_the_start_names_the_field_and_the_file() {
    let table = [
        ("k.pem", pair().1, "gateway.tls", "c.pem", "do not belong together"),
        ("ca.pem", String::new(), "gateway.tls.client_ca", "ca.pem", ""),
        ("jwks.json", "{}".to_owned(), "auth.jwt.jwks", "jwks.json", ""),
    ];
    for (name, text, field, named, words) in table {
        let world = World::with(&pair());
        world.put(name, &text);
        let told = world.why(&Materials::new());
        let begins = format!("{field}: {}: ", world.path(named).display());
        assert!(told.starts_with(&begins) && told.contains(words), "{told}");
        std::fs::remove_file(world.path(name)).unwrap();
        let told = world.why(&Materials::new());
        assert!(told.contains(name) && told.contains("No such file"), "{told}");
    }
}

#[test]
fn a_half_rotation_changes_nothing_until_both_fit() {
    let (old, new) = (pair(), pair());
    let world = World::with(&old);
    let materials = world.in_force();
    let (first, changes) = (materials.current(), materials.changes());
    world.put("c.pem", &new.0);
    materials.look();
    assert!(materials.current() == first && *changes.borrow() == 0);
    // Nor does a changed configuration that names the same files.
    assert!(materials.read(&world.config, &world.plan()).ok().unwrap().material() == &*first);
    world.put("k.pem", &new.1);
    materials.look();
    let second = materials.current();
    assert!(second != first && *changes.borrow() == 1);
    let leaf = |material: &Material| material.certificate.as_ref().unwrap().leaf().to_vec();
    assert!(materials.may_be_shown(&leaf(&first)) && materials.may_be_shown(&leaf(&second)));
    materials.look();
    assert_eq!(*changes.borrow(), 1, "nothing changed");
}

#[test]
fn keys_and_authorities_are_replaced_and_a_broken_file_keeps_the_last() {
    let world = World::with(&pair());
    let materials = world.in_force();
    let changes = materials.changes();
    world.put("jwks.json", "{ half");
    world.put("ca.pem", "-----BEGIN CERTIFICATE-----");
    materials.look();
    assert_eq!(*changes.borrow(), 0);
    world.put("jwks.json", &keys("two"));
    materials.look();
    assert_eq!(*changes.borrow(), 1);
    let second = materials.current();
    world.put("ca.pem", &pair().0);
    materials.look();
    let third = materials.current();
    assert!(third.client_ca != second.client_ca && third.jwks == second.jwks);
    assert!(materials.may_be_shown(third.certificate.as_ref().unwrap().leaf()));
}

#[test]
fn without_files_there_is_nothing() {
    let world = World::with(&pair());
    let materials = world.in_force();
    let file = world.path("tollgate.yaml");
    let Ok(loaded) = crate::config_file::load_text(&file, "version: 1\n") else { panic!() };
    let plan = crate::publish::plan(&loaded.config, "127.0.0.1:1".parse().unwrap());
    materials.in_force(materials.read(&loaded.config, &plan).ok().unwrap());
    assert!(!materials.has_certificate() && *materials.current() == Material::default());
    world.put("k.pem", "");
    assert!(world.why(&materials).contains("the key cannot be read"), "nothing good is left");
}

#[test]
fn what_lasts_is_said_once() {
    let mut state = State::default();
    let mut said = |why: &str| {
        state.complain(vec![why.to_owned()]);
        state.trouble.as_ref().is_some_and(|(_, said)| *said)
    };
    assert!(!said("half"), "it may be the middle of a rotation");
    assert!(said("half") && said("half"));
    assert!(!said("other"));
}

#[tokio::test]
async fn the_watch_finds_a_rotation_and_follows_to_other_files() {
    let (first, second) = (World::with(&pair()), World::with(&pair()));
    let materials = first.in_force();
    let mut changes = materials.changes();
    let watch = tokio::spawn(materials.clone().watch());
    for world in [&first, &second] {
        materials.in_force(materials.read(&world.config, &world.plan()).ok().unwrap());
        let (cert, key) = pair();
        world.put("c.pem", &cert);
        world.put("k.pem", &key);
        let found = timeout(Duration::from_secs(5), changes.changed()).await;
        assert!(found.is_ok(), "not found");
    }
    watch.abort();
}

#[test]
fn what_engines_are_reached_with_is_material_and_outlives_a_look_at_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version: 1\npools:\n  a: { engine: vllm, model: m, endpoints: \
                [\"https://10.0.0.1:1\"], tls: { ca: ca.pem }, \
                credentials: { header: Authorization, value: Bearer made-up } }\n";
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pair().0).unwrap();
    let loaded = crate::config_file::load_text(&folder.path().join("t.yaml"), text);
    let config = loaded.map_err(|invalid| invalid.0).ok().unwrap().config;
    let plan = crate::publish::plan(&config, "127.0.0.1:1".parse().unwrap());
    let materials = Materials::new();
    materials.in_force(materials.read(&config, &plan).ok().unwrap());
    let first = materials.current();
    assert_eq!((first.credentials.len(), first.engine_cas.len()), (1, 1));
    assert_eq!(changes(&Material::default(), &first), ["credential/a: changed"]);
    assert_eq!(changes(&first, &first), [""; 0]);
    assert!(first.credentials.get("credential/a") == Some(&Credential::new("Bearer made-up")));
    std::fs::write(&ca, pair().0).unwrap();
    materials.look();
    let second = materials.current();
    assert!(second.credentials == first.credentials && second.engine_cas != first.engine_cas);
    std::fs::write(&ca, "nothing").unwrap();
    materials.look();
    assert!(materials.current().engine_cas == second.engine_cas);
}
