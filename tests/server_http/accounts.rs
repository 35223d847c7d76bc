//! Who may come in, and who may not.

use md5::{Digest as _, Md5};
use segue::server::accounts;
use segue::subsonic::auth::{hex, hex_password, token};
use segue::subsonic::{Client, Credentials, ErrorCode};

use crate::house::{ANN, House, code, data};

async fn ping(house: &House, params: &[(&str, &str)]) -> Option<i64> {
    let answer = house.anybody("ping", params).await;
    if answer["status"] == "ok" { None } else { Some(code(&answer)) }
}

#[tokio::test]
async fn every_way_to_log_in_and_every_way_to_fail() {
    let house = House::open().await.with_ann().await;
    let (user, password) = ANN;
    let hexed = hex_password(password);
    assert_eq!(ping(&house, &[("u", user), ("p", password)]).await, None);
    assert_eq!(ping(&house, &[("u", user), ("p", &hexed)]).await, None);
    assert_eq!(ping(&house, &[("u", user), ("p", "wrong")]).await, Some(40));
    assert_eq!(ping(&house, &[]).await, Some(10));
    assert_eq!(ping(&house, &[("u", user)]).await, Some(10));
    assert_eq!(ping(&house, &[("p", password)]).await, Some(10));
    for broken in ["enc:zz", "enc:abc", "enc:ff", "enc:"] {
        assert_eq!(ping(&house, &[("u", user), ("p", broken)]).await, Some(40), "{broken}");
    }
    // The log-in password is never good for a token.
    let good = token(password, "salt12");
    assert_eq!(ping(&house, &[("u", user), ("t", &good), ("s", "salt12")]).await, Some(41));
    assert_eq!(ping(&house, &[("u", user), ("t", &good)]).await, Some(10));

    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), user, "phone").await.unwrap();
    let right = token(&app, "salt12");
    assert_eq!(right, hex(&Md5::digest(format!("{app}salt12"))));
    assert_eq!(ping(&house, &[("u", user), ("t", &right), ("s", "salt12")]).await, None);
    assert_eq!(ping(&house, &[("u", user), ("t", &right.to_uppercase()), ("s", "salt12")]).await, None);
    assert_eq!(ping(&house, &[("u", user), ("t", &right), ("s", "salt13")]).await, Some(41));
    assert_eq!(ping(&house, &[("u", user), ("t", &good), ("s", "salt12")]).await, Some(41));
    assert_eq!(ping(&house, &[("u", user), ("p", &app)]).await, None);

    let key = accounts::new_api_key(&house.catalog, user, "laptop").await.unwrap();
    assert_eq!(ping(&house, &[("apiKey", &key)]).await, None);
    let info = house.anybody("tokenInfo", &[("apiKey", &key)]).await;
    assert_eq!(info["tokenInfo"]["username"], user);
    assert_eq!(ping(&house, &[("apiKey", "segue_0000")]).await, Some(44));
    assert_eq!(ping(&house, &[("apiKey", &key), ("u", user)]).await, Some(43));
    assert_eq!(ping(&house, &[("apiKey", &key), ("p", password)]).await, Some(43));
    assert_eq!(ping(&house, &[("u", user), ("p", password), ("t", &right), ("s", "salt12")]).await, Some(43));

    assert_eq!(ping(&house, &[("apiKey", &key), ("v", "0.9")]).await, Some(20));
    assert_eq!(ping(&house, &[("apiKey", &key), ("v", "2.0.0")]).await, Some(30));
    assert_eq!(ping(&house, &[("apiKey", &key), ("v", "1.8.0")]).await, None);
    assert_eq!(house.anybody("getOpenSubsonicExtensions", &[]).await["status"], "ok");
    house.close().await;
}

#[tokio::test]
async fn hostile_names_are_nobody() {
    let house = House::open().await.with_ann().await;
    let empty = token("", "salt12");
    for name in [
        "%",
        "_____",
        "*",
        "ann%",
        "ANN & CO",
        "ann & co ",
        " ann & co",
        "' OR 1=1 --",
        "nobody",
        "a\u{0}n",
        "admin\u{0}",
    ] {
        assert_eq!(ping(&house, &[("u", name), ("p", ANN.1)]).await, Some(40), "{name:?}");
        assert_eq!(ping(&house, &[("u", name), ("t", &empty), ("s", "salt12")]).await, Some(41), "{name:?}");
    }
    assert_eq!(ping(&house, &[("u", ""), ("p", "")]).await, Some(10));
    house.close().await;
}

#[tokio::test]
async fn our_client_finds_its_way_in() {
    let house = House::open().await.with_ann().await;
    let with = |password: &str| {
        let credentials = Credentials::Password { user: ANN.0.into(), password: password.into() };
        Client::new(&house.base, credentials).unwrap()
    };
    // No app password: refused with 41, then the password itself, because this is loopback.
    let client = with(ANN.1);
    client.ping().await.unwrap();
    assert_eq!(client.playlists().await.unwrap().len(), 0);
    assert_eq!(with("wrong").ping().await.unwrap_err().code(), Some(ErrorCode::WrongCredentials));
    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), ANN.0, "tui").await.unwrap();
    with(&app).ping().await.unwrap();
    let bad = Client::new(&house.base, Credentials::ApiKey("x".into())).unwrap();
    assert_eq!(bad.ping().await.unwrap_err().code(), Some(ErrorCode::InvalidApiKey));
    house.close().await;
}

#[tokio::test]
async fn changes_hold_with_the_next_request() {
    let house = House::open().await.with_ann().await;
    let (user, password) = ANN;
    let catalog = &house.catalog;
    assert_eq!(ping(&house, &[("u", user), ("p", password)]).await, None);
    accounts::set_password(catalog, user, "new").await.unwrap();
    assert_eq!(ping(&house, &[("u", user), ("p", password)]).await, Some(40));
    assert_eq!(ping(&house, &[("u", user), ("p", "new")]).await, None);

    let key = accounts::new_api_key(catalog, user, "laptop").await.unwrap();
    let app = accounts::new_app_password(catalog, &data(&house.folder), user, "phone").await.unwrap();
    assert_eq!(ping(&house, &[("u", user), ("p", &app)]).await, None);
    let held = accounts::credentials(catalog, user).await.unwrap();
    assert_eq!(held.iter().map(|held| held.name.as_str()).collect::<Vec<_>>(), ["laptop", "phone"]);
    for credential in held {
        accounts::revoke(catalog, user, &credential.id).await.unwrap();
    }
    assert_eq!(ping(&house, &[("apiKey", &key)]).await, Some(44));
    assert_eq!(ping(&house, &[("u", user), ("p", &app)]).await, Some(40));
    let session = house.key_of(user).await;
    accounts::remove(catalog, user).await.unwrap();
    assert_eq!(ping(&house, &[("apiKey", &session)]).await, Some(44));
    assert_eq!(ping(&house, &[("u", user), ("p", "new")]).await, Some(40));
    assert!(accounts::remove(catalog, "admin").await.is_err());
    for name in ["", " x", "x ", "a\nb", "Admin", "admin"] {
        assert!(accounts::add(catalog, name, "p", false).await.is_err(), "{name:?}");
    }
    assert!(accounts::add(catalog, "bob", "", false).await.is_err());
    house.close().await;
}

#[tokio::test]
async fn who_does_not_administer_may_not() {
    let house = House::open().await.with_ann().await;
    let ann = house.key_of(ANN.0).await;
    for (endpoint, name) in [("getUsers", ""), ("startScan", ""), ("getUser", "admin"), ("getUser", "nobody")]
    {
        let answer = house.anybody(endpoint, &[("apiKey", &ann), ("username", name)]).await;
        assert_eq!(code(&answer), 50, "{endpoint} {name}");
    }
    let own = house.anybody("getUser", &[("apiKey", &ann), ("username", ANN.0)]).await["user"].take();
    assert_eq!(
        (&own["username"], &own["adminRole"], &own["streamRole"]),
        (&ANN.0.into(), &false.into(), &true.into())
    );
    house.close().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_but_not_for_who_is_in() {
    let house = House::open().await.with_ann().await;
    let (user, password) = ANN;
    let key = house.key_of(user).await;
    assert_eq!(ping(&house, &[("u", user), ("p", password)]).await, None);
    for _ in 0..10 {
        assert_eq!(ping(&house, &[("u", user), ("p", "guess")]).await, Some(40));
    }
    let app = house.url("ping", &[("u", user), ("p", "another guess")]);
    let reply = house.http.get(app).send().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert!(reply.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 300);
    assert!(reply.text().await.unwrap().contains("code=\"40\""));
    // The listener's own devices stay in.
    let app = accounts::new_app_password(&house.catalog, &data(&house.folder), user, "phone").await.unwrap();
    assert_eq!(ping(&house, &[("u", user), ("t", &token(&app, "salt12")), ("s", "salt12")]).await, None);
    for _ in 0..10 {
        ping(&house, &[("u", "nobody"), ("t", "0123"), ("s", "salt12")]).await;
    }
    let guess = house.url("ping", &[("u", "nobody"), ("t", "0123"), ("s", "salt12")]);
    assert_eq!(house.http.get(guess).send().await.unwrap().status(), 429, "tokens count as well");
    assert_eq!(ping(&house, &[("u", user), ("p", password)]).await, None);
    assert_eq!(ping(&house, &[("apiKey", &key)]).await, None);
    house.close().await;
}

#[tokio::test]
async fn a_second_start_makes_no_account_and_keeps_the_key() {
    let house = House::open().await;
    let first = house.server.as_ref().unwrap().first_account().unwrap().clone();
    let password = first.made_up_password.unwrap();
    assert!(first.name == "admin" && password.len() >= 20);
    assert_eq!(ping(&house, &[("u", "admin"), ("p", &password)]).await, None);
    let app =
        accounts::new_app_password(&house.catalog, &data(&house.folder), "admin", "phone").await.unwrap();
    let session = house.key.clone();
    let house = House::open_over(house.close().await).await;
    assert!(house.server.as_ref().unwrap().first_account().is_none());
    assert_eq!(ping(&house, &[("u", "admin"), ("p", &password)]).await, None);
    assert_eq!(ping(&house, &[("u", "admin"), ("t", &token(&app, "salt12")), ("s", "salt12")]).await, None);
    assert_eq!(ping(&house, &[("apiKey", &session)]).await, Some(44));

    // Without its key the server says so rather than starting with half of its accounts locked out.
    let folder = house.close().await;
    std::fs::remove_file(data(&folder).join("secret.key")).unwrap();
    let config = segue::server::Config { music: vec![], ..crate::house::config(&folder) };
    let error = segue::server::Server::start(config).await.unwrap_err();
    assert!(error.to_string().contains("secret.key"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_the_servers_own_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::open().await;
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(data(&house.folder)), 0o700);
    assert_eq!(mode(data(&house.folder).join("secret.key")), 0o600);
    house.close().await;
}

/// Behind a proxy that is trusted, each listener counts for themselves; and so do those in one IPv6 net together.
#[tokio::test]
async fn behind_a_proxy_who_guesses_is_who_waits() {
    let folder = tempfile::tempdir().unwrap();
    let net = segue::server::Net {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..segue::server::Net::default()
    };
    std::fs::create_dir_all(folder.path().join("music")).unwrap();
    let config = segue::server::Config { net, ..crate::house::config(&folder) };
    let house = House::start(folder, config).await.with_ann().await;
    let status = async |from: &str, password: &str| {
        let url = house.url("ping", &[("u", ANN.0), ("p", password), ("f", "json")]);
        let reply = house.http.get(url).header("x-forwarded-for", from).send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap().contains("\"ok\""))
    };
    for guess in 0..10 {
        assert_eq!(status(&format!("2001:db8::{guess}"), "guess").await, (200, false));
    }
    assert_eq!(
        status("2001:db8::ffff", ANN.1).await,
        (429, false),
        "who guessed, whatever their last digits"
    );
    assert_eq!(status("2001:db8:0:1::1", ANN.1).await, (200, true), "somebody else");
    assert_eq!(status("9.9.9.9, 2001:db8::1", "guess").await.0, 429, "what they claim before does not count");
    house.close().await;
}
