use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder, redirect};

use super::password_of;

/// Sends and keeps the cookie as a browser would, but shows every `Set-Cookie`
/// as it came and follows no redirect.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    /// `name=value`, as sent.
    pub(crate) cookie: Option<String>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), cookie: None }
    }

    /// The same browser, of an application that listens elsewhere now.
    pub(crate) fn at(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.text().await.unwrap() };
        if let Some(cookie) = answer.set_cookie() {
            let pair = cookie.split(';').next().unwrap();
            self.cookie = (!cookie.contains("Max-Age=0")).then(|| pair.to_owned());
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// As a script asks.
    pub(crate) async fn get_json(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).header("accept", "application/json");
        self.send(request).await
    }

    /// As a form of the page itself is sent.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("sec-fetch-site", "same-origin");
        self.send(request.form(form)).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str, remember: bool) -> Answer {
        let mut form = vec![("name", name), ("password", password_of(name)), ("next", "/")];
        if remember {
            form.push(("remember", "yes"));
        }
        self.post("/sign-in", &form).await
    }

    /// The value of the cookie.
    pub(crate) fn token(&self) -> &str {
        self.cookie.as_deref().unwrap().split_once('=').unwrap().1
    }

    /// The public half of the token.
    pub(crate) fn session_id(&self) -> &str {
        self.token().split_once('.').unwrap().0
    }
}

impl Answer {
    /// The one `Set-Cookie` header, if any.
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        let mut cookies = self.headers.get_all(SET_COOKIE).iter();
        let first = cookies.next();
        assert!(cookies.next().is_none(), "more than one Set-Cookie");
        first.map(|value| value.to_str().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
