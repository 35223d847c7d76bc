//! The server with a certificate of its own, and what our client says of certificates that it cannot believe.

use std::path::PathBuf;

use segue::server::{Config, Net, Server, TlsFiles, accounts};
use segue::subsonic::{Client, ClientError, Credentials};

struct Secure {
    server: Server,
    folder: tempfile::TempDir,
    root: reqwest::Certificate,
}

fn put(folder: &tempfile::TempDir, names: &[&str], expired: bool) -> (TlsFiles, reqwest::Certificate) {
    let mut params =
        rcgen::CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .unwrap();
    if expired {
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    let files = TlsFiles { certificate: at("certificate.pem"), key: at("key.pem") };
    std::fs::write(&files.certificate, &certificate).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    (files, reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap())
}

async fn secure(names: &[&str], expired: bool) -> Secure {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("music")).unwrap();
    let (files, root) = put(&folder, names, expired);
    let config = Config {
        music: vec![folder.path().join("music")],
        database: crate::house::place(&folder),
        data: folder.path().join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: false,
        net: Net { tls: Some(files), ..Net::default() },
        keep: segue::server::privacy::Keep::default(),
        stores: segue::server::Stores::default(),
    };
    Secure { server: Server::start(config).await.unwrap(), folder, root }
}

#[tokio::test]
async fn who_knows_the_certificate_comes_in() {
    let house = secure(&["localhost"], false).await;
    let port = house.server.addr().port();
    let key = house.server.issue_key(accounts::ADMIN_NAME, "test").await.unwrap();
    Client::new("http://127.0.0.1", Credentials::ApiKey(key.clone())).unwrap(); // settles who does TLS
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([house.root.clone()]).build().unwrap();
    let reply =
        http.get(format!("https://localhost:{port}/rest/ping?apiKey={key}&f=json")).send().await.unwrap();
    assert!(reply.text().await.unwrap().contains("\"ok\""));
    // Plain HTTP on the same port is no way around it.
    assert!(http.get(format!("http://localhost:{port}/rest/ping")).send().await.is_err());
    house.server.shutdown().await;
    drop(house.folder);
}

#[tokio::test]
async fn certificates_that_cannot_be_believed_are_explained() {
    for (names, expired) in
        [(&["localhost"][..], false), (&["elsewhere.example"], false), (&["localhost"], true)]
    {
        let house = secure(names, expired).await;
        let address = format!("https://localhost:{}", house.server.addr().port());
        let client = Client::new(&address, Credentials::ApiKey("secret-key".into())).unwrap();
        let error = client.ping().await.unwrap_err();
        assert!(matches!(error, ClientError::Tls { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("certificate") && said.contains("localhost"), "{said}");
        assert!(!said.contains("secret-key"), "{said}");
        house.server.shutdown().await;
    }
}

#[tokio::test]
async fn broken_files_keep_a_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = put(&folder, &["localhost"], false);
    std::fs::write(&files.key, "nothing").unwrap();
    let config = Config {
        music: vec![],
        database: crate::house::place(&folder),
        data: folder.path().join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        watch: false,
        net: Net { tls: Some(files), ..Net::default() },
        keep: segue::server::privacy::Keep::default(),
        stores: segue::server::Stores::default(),
    };
    let said = Server::start(config).await.unwrap_err().to_string();
    assert!(said.contains("key.pem"), "{said}");
}
