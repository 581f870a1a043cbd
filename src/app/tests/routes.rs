use super::*;

#[test]
fn what_has_no_route_is_404_unless_there_is_a_fallback() {
    let mut app = App::new();
    app.at("/").get(says("root"));
    let without = TestClient::new(app);
    assert_eq!(get(&without, "/else"), said(404, "404 Not Found\n"));
    assert_eq!(send(&without, Method::Options, "/else").status(), 404);

    let with = client(|app| {
        app.at("/").get(says("root"));
        app.fallback(says("first"));
        app.fallback(|request: Request| async move {
            Ok(format!("{} {}", request.method(), request.url().path()))
        });
    });
    for method in [Method::Get, Method::Post, Method::Options, Method::PropFind] {
        let response = send(&with, method, "/else/where");
        assert_eq!(
            (response.status(), response.text()),
            (StatusCode::Ok, &*format!("{method} /else/where"))
        );
    }
}

#[test]
fn a_path_that_has_a_route_never_comes_to_the_fallback() {
    let client = client(|app| {
        app.at("/").get(says("root"));
        app.fallback(says("fallback"));
    });
    assert_eq!(get(&client, "/"), said(200, "root"));
    assert_eq!(send(&client, Method::Post, "/").status(), 405);
    assert_eq!(send(&client, Method::Options, "/").status(), 204);
}

#[test]
fn each_method_has_its_handler_and_all_has_the_rest() {
    let client = client(|app| {
        let route = app.at("/");
        route.get(says("get")).post(says("post")).put(says("put"));
        route
            .delete(says("delete"))
            .patch(says("patch"))
            .method(Method::PropFind, says("propfind"));
        app.at("/all").all(says("all")).get(says("get"));
        app.at("/any").all(says("any"));
    });
    for (method, text) in [
        (Method::Get, "get"),
        (Method::Post, "post"),
        (Method::Put, "put"),
        (Method::Delete, "delete"),
        (Method::Patch, "patch"),
        (Method::PropFind, "propfind"),
    ] {
        assert_eq!(send(&client, method, "/").text(), text);
    }
    assert_eq!(get(&client, "/all"), said(200, "get"));
    for method in [Method::Post, Method::Options, Method::Trace] {
        assert_eq!(send(&client, method, "/all").text(), "all", "{method}");
    }
    for method in [Method::Get, Method::Head, Method::Options] {
        assert_eq!(send(&client, method, "/any").status(), 200, "{method}");
    }
}

/// RFC 9110 §9.3.2, §9.3.7, §15.5.6.
#[test]
fn head_options_and_405_follow_from_the_other_methods() {
    let client = client(|app| {
        app.at("/").get(says("root")).delete(says("gone"));
        app.at("/put").put(says("put"));
    });
    let head = send(&client, Method::Head, "/");
    assert_eq!((head.status(), head.bytes()), (StatusCode::Ok, &b""[..]));
    let options = send(&client, Method::Options, "/");
    assert_eq!((options.status(), options.bytes()), (StatusCode::NoContent, &b""[..]));
    assert_eq!(options.header("allow"), Some("DELETE, GET, HEAD, OPTIONS"));
    let post = send(&client, Method::Post, "/");
    assert_eq!(
        (post.status(), post.text()),
        (StatusCode::MethodNotAllowed, "405 Method Not Allowed\n")
    );
    assert_eq!(post.header("allow"), Some("DELETE, GET, HEAD, OPTIONS"));
    // Without a GET there is no HEAD.
    let head = send(&client, Method::Head, "/put");
    assert_eq!(
        (head.status(), head.header("allow")),
        (StatusCode::MethodNotAllowed, Some("OPTIONS, PUT"))
    );
}

#[test]
fn parameters_and_wildcards_stand_for_what_is_there() {
    let client = client(|app| {
        app.at("/one/:a").get(show);
        app.at("/one/fixed").get(says("fixed"));
        app.at("/two/:a/and/:b").get(show);
        app.at("/files/*rest").get(show);
        app.at("/files").get(says("the root"));
        app.at("/mixed/:a/*rest").get(show);
        app.at("/caf\u{e9}").get(says("coffee"));
    });
    for (path, expected) in [
        ("/one/x", "x - -"),
        ("/one/fixed", "fixed"),
        ("/one/fixedly", "fixedly - -"),
        ("/two/1/and/2", "1 2 -"),
        ("/files/a/b.txt", "- - a/b.txt"),
        ("/files", "the root"),
        ("/mixed/x/y/z", "x - y/z"),
        // Decoded once, and only after the route was chosen.
        ("/one/a%2Fb", "a/b - -"),
        ("/one/%252F%20+%C3%A9", "%2F +\u{e9} - -"),
        ("/one/x?a=query", "x - -"),
        ("/caf%C3%A9", "coffee"),
    ] {
        assert_eq!(get(&client, path), said(200, expected), "{path}");
    }
    for path in ["/one/", "/one", "/one/x/", "/one/x/y", "/files/", "/two/1/and/", "/ONE/x"] {
        assert_eq!(get(&client, path).0, 404, "{path}");
    }
}

#[test]
fn a_parameter_that_cannot_be_is_the_clients_fault_and_one_that_is_not_there_is_ours() {
    let client = client(|app| {
        app.at("/n/:n")
            .get(|request| async move { Ok(Params::of(&request).get::<u8>("n")?.to_string()) });
        app.at("/m/:n").get(|request| async move { Params::of(&request).get::<String>("m") });
        app.at("/none").get(|request| async move { Params::of(&request).get::<String>("n") });
        app.at("/text/:n").get(|request| async move { Params::of(&request).get::<String>("n") });
    });
    assert_eq!(get(&client, "/n/255"), said(200, "255"));
    assert_eq!(get(&client, "/n/256"), said(404, "404 Not Found\n"));
    assert_eq!(get(&client, "/n/x"), said(404, "404 Not Found\n"));
    assert_eq!(
        get(&client, "/text/%ff"),
        said(400, "what is percent-encoded in the path is not UTF-8\n")
    );
    assert_eq!(get(&client, "/m/1"), said(500, "500 Internal Server Error\n"));
    assert_eq!(get(&client, "/none"), said(500, "500 Internal Server Error\n"));
}

#[test]
fn routes_that_cannot_be_are_a_panic_that_says_why() {
    for (paths, why) in [
        (&["a"][..], "begin with /"),
        (&["/{id}"], "/:name"),
        (&["/:a", "/:b"], "in conflict with \"/:a\""),
        (&["/x/*a", "/x/*b"], "in conflict with \"/x/*a\""),
    ] {
        let add = || {
            let mut app = App::new();
            for path in paths {
                app.at(path).get(says(""));
            }
        };
        let panic = std::panic::catch_unwind(add).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains(why), "{text}");
    }
}
