//! Servers that let in whom they know: by a user and a password, a token, a file of credentials; and
//! those that show a certificate.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use queue::{Access, Nats, SharedBus, Streamed, conformance};
use serde_json::{Value, json};
use store::testing;

use crate::server::Server;
use crate::world::LONG;

/// Connects, and works with tasks and events.
async fn works(url: &str, access: &Access) {
    let one = Nats::connect_with(url, "moth", access).await.unwrap();
    let two = Nats::connect_with(url, "moth", access).await.unwrap();
    let here = SharedBus::over_nats(&one).await.unwrap();
    let there = SharedBus::over_nats(&two).await.unwrap();
    conformance::events::all(&here, &there).await;
    let fresh = testing::fresh_sqlite().await;
    let opened = Streamed::open(fresh.store.clone(), one.clone(), "test", LONG).await;
    opened.unwrap();
    one.forget().await.unwrap();
}

/// What is said where there is no way in.
async fn refused(url: &str, access: &Access) -> String {
    let refused = Nats::connect_with(url, "moth", access).await;
    refused.err().expect("it was let in").to_string()
}

#[tokio::test]
async fn by_a_user_and_a_password() {
    let words = ["--user", "bob", "--pass", "se/c ret"];
    let Some(server) = Server::with(&words).await else {
        return;
    };
    let at = server.address();
    let nobody = Access::default();
    works(&format!("nats://bob:se%2Fc%20ret@{at}"), &nobody).await;
    // One of a cluster that is not there, and one that is.
    let cluster = format!("nats://bob:se%2Fc%20ret@{at},nats://127.0.0.1:1");
    works(&cluster, &nobody).await;
    for url in [format!("nats://bob:wrong@{at}"), format!("nats://{at}")] {
        let why = refused(&url, &nobody).await;
        assert!(why.contains("does not let this server in"), "{why}");
        assert!(!why.contains("wrong"), "{why}");
    }
}

#[tokio::test]
async fn by_a_token() {
    let Some(server) = Server::with(&["--auth", "t0ken"]).await else {
        return;
    };
    let at = server.address();
    works(&format!("nats://t0ken@{at}"), &Access::default()).await;
    let why = refused(&format!("nats://wrong@{at}"), &Access::default()).await;
    assert!(why.contains("does not let this server in"), "{why}");
    assert!(!why.contains("wrong"), "{why}");
}

/// Written down and signed as the server reads it.
fn signed(by: &KeyPair, of: &KeyPair, nats: &Value) -> String {
    let head = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let claims = json!({
        "jti": of.public_key(), "iat": 1_700_000_000, "name": "moth",
        "iss": by.public_key(), "sub": of.public_key(), "nats": nats,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&head), part(&claims));
    let seal = by.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(seal))
}

/// Settings of a server that knows an account, and the credentials of a user in it.
fn account(dir: &Path) -> (PathBuf, PathBuf) {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let user = KeyPair::new_user();
    let claims = json!({"type": "operator", "version": 2});
    let root = signed(&operator, &operator, &claims);
    let claims = json!({
        "type": "account", "version": 2,
        "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1,
            "leaf": -1, "wildcards": true, "mem_storage": -1, "disk_storage": -1, "streams": -1,
            "consumer": -1,
        },
    });
    let known = signed(&operator, &account, &claims);
    // JetStream asks for an account of the server's own.
    let system = KeyPair::new_account();
    let systems = signed(
        &operator,
        &system,
        &json!({"type": "account", "version": 2}),
    );
    let own = system.public_key();
    let claims = json!({"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1});
    let card = signed(&account, &user, &claims);
    let settings = dir.join("nats.conf");
    let name = account.public_key();
    let text = format!(
        "operator: {root}\nsystem_account: {own}\nresolver: MEMORY\n\
         resolver_preload: {{ {name}: {known}, {own}: {systems} }}\n"
    );
    std::fs::write(&settings, text).unwrap();
    let credentials = dir.join("moth.creds");
    let seed = user.seed().unwrap();
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{card}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&credentials, text).unwrap();
    (settings, credentials)
}

#[tokio::test]
async fn by_a_file_of_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, credentials) = account(dir.path());
    let Some(server) = Server::with(&["-c", settings.to_str().unwrap()]).await else {
        return;
    };
    let access = |file: &Path| Access {
        credentials: Some(file.to_owned()),
        ..Access::default()
    };
    works(&server.url(), &access(&credentials)).await;
    let why = refused(&server.url(), &Access::default()).await;
    assert!(why.contains("does not let this server in"), "{why}");
    for (file, words) in [
        (dir.path().join("none"), "cannot be read from"),
        (settings, "holds no credentials for NATS"),
    ] {
        let why = refused(&server.url(), &access(&file)).await;
        assert!(why.contains(words), "{why}");
    }
    let both = format!("nats://bob:secret@{}", server.address());
    let why = refused(&both, &access(&credentials)).await;
    assert!(why.contains("not by both"), "{why}");
}

#[tokio::test]
async fn a_certificate_is_believed_where_its_authority_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = [
        "--tls",
        "--tlscert",
        certificate.to_str().unwrap(),
        "--tlskey",
        key.to_str().unwrap(),
    ];
    let Some(server) = Server::with(&settings).await else {
        return;
    };
    let at = server.address();
    let access = Access {
        authorities: Some(certificate),
        ..Access::default()
    };
    for scheme in ["tls", "nats"] {
        works(&format!("{scheme}://{at}"), &access).await;
    }
    let why = refused(&format!("tls://{at}"), &Access::default()).await;
    assert!(why.contains("NATS does not answer"), "{why}");
    // A server without TLS is none that was asked for.
    if let Some(plain) = Server::start().await {
        refused(&plain.url(), &access).await;
    }
}
