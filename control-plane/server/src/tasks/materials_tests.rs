use super::*;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Two files, and what is written to them.
struct Files {
    _folder: tempfile::TempDir,
    tls: Tls,
}

fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["gateway.example".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

impl Files {
    fn with((cert, key): &(String, String)) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| -> PathBuf { folder.path().join(name) };
        let tls = Tls { cert: at("c.pem"), key: at("k.pem") };
        let files = Files { tls, _folder: folder };
        files.put_cert(cert);
        files.put_key(key);
        files
    }

    fn put_cert(&self, text: &str) {
        std::fs::write(&self.tls.cert, text).unwrap();
    }

    fn put_key(&self, text: &str) {
        std::fs::write(&self.tls.key, text).unwrap();
    }
}

fn in_force(files: &Files) -> Certificates {
    let certificates = Certificates::new();
    let candidate = certificates.read(Some(&files.tls)).ok().unwrap();
    certificates.in_force(candidate);
    certificates
}

fn why(certificates: &Certificates, tls: &Tls) -> String {
    match certificates.read(Some(tls)) {
        Ok(_) => "it fits".to_owned(),
        Err(why) => why.to_string(),
    }
}

#[test]
fn what_is_wrong_at_the_start_names_the_field_and_the_file() {
    let files = Files::with(&pair());
    let certificates = Certificates::new();
    let (cert, key) = (files.tls.cert.display().to_string(), files.tls.key.display().to_string());
    files.put_key(&pair().1);
    let mismatch =
        format!("gateway.tls: {cert}: the certificate and the key do not belong together");
    assert_eq!(why(&certificates, &files.tls), mismatch);
    std::fs::remove_file(&files.tls.key).unwrap();
    let told = why(&certificates, &files.tls);
    assert!(told.starts_with(&format!("gateway.tls.key: {key}: No such file")), "{told}");
}

#[test]
fn a_half_rotation_changes_nothing_until_both_fit() {
    let (old, new) = (pair(), pair());
    let files = Files::with(&old);
    let certificates = in_force(&files);
    let (first, changes) = (certificates.current().unwrap(), certificates.changes());
    files.put_cert(&new.0);
    certificates.look();
    assert!(certificates.current().unwrap() == first && *changes.borrow() == 0);
    // Nor does a changed configuration that names the same files.
    assert!(certificates.read(Some(&files.tls)).ok().unwrap().certificate() == Some(&*first));
    files.put_key(&new.1);
    certificates.look();
    let second = certificates.current().unwrap();
    assert!(second != first && *changes.borrow() == 1);
    assert!(certificates.may_be_shown(first.leaf()) && certificates.may_be_shown(second.leaf()));
    certificates.look();
    assert_eq!(*changes.borrow(), 1, "nothing changed");
}

#[test]
fn without_tls_there_is_no_certificate() {
    let files = Files::with(&pair());
    let certificates = in_force(&files);
    let candidate = certificates.read(None).ok().unwrap();
    assert!(candidate.certificate().is_none());
    certificates.in_force(candidate);
    assert!(certificates.current().is_none());
    files.put_key("");
    assert!(
        why(&certificates, &files.tls).contains("the key cannot be read"),
        "nothing good is left"
    );
}

#[test]
fn what_lasts_is_said_once() {
    let mut state = State::default();
    let mut said = |why: &str| {
        state.complain(why.to_owned());
        state.trouble.as_ref().is_some_and(|(_, said)| *said)
    };
    assert!(!said("half"), "it may be the middle of a rotation");
    assert!(said("half") && said("half"));
    assert!(!said("other"));
}

#[tokio::test]
async fn the_watch_finds_a_rotation_and_follows_to_other_files() {
    let (first, second) = (Files::with(&pair()), Files::with(&pair()));
    let certificates = in_force(&first);
    let mut changes = certificates.changes();
    let watch = tokio::spawn(certificates.clone().watch());
    for files in [&first, &second] {
        let candidate = certificates.read(Some(&files.tls)).ok().unwrap();
        certificates.in_force(candidate);
        let (cert, key) = pair();
        files.put_cert(&cert);
        files.put_key(&key);
        let found = timeout(Duration::from_secs(5), changes.changed()).await;
        assert!(found.is_ok(), "not found");
    }
    watch.abort();
}
