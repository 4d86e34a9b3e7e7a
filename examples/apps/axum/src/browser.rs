use woothee::parser::Parser;

/// The most that is kept of a browser that nobody knows.
const LONGEST: usize = 60;

/// A browser and its system, such as "Firefox on Linux", from the header `User-Agent`.
/// Without a version: it changes every month, and tells no device from another.
pub(crate) fn name(user_agent: &str) -> String {
    let known = |word| Some(word).filter(|it| !["", "UNKNOWN", "HTTP Library"].contains(it));
    let parsed = Parser::new().parse(user_agent);
    let browser = parsed.as_ref().and_then(|it| known(it.name)).map(|name| match name {
        "SamsungBrowser" => "Samsung Internet",
        name => name,
    });
    // Frozen in the header: "Windows NT 10.0" is 11, too, and "10_15_7" any macOS since.
    let system = parsed.as_ref().and_then(|it| known(it.os)).map(|os| match os {
        "Mac OSX" => "macOS",
        os if os.starts_with("Windows") => "Windows",
        os => os,
    });
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) if user_agent.trim().is_empty() => "An unknown browser".to_owned(),
        (None, None) => user_agent.trim().chars().take(LONGEST).collect(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_browser_is_called_as_its_users_call_it() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
                       (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
        let edge = format!("{windows} Edg/141.0.0.0");
        for (user_agent, name) in [
            (windows, "Chrome on Windows"),
            (&edge, "Edge on Windows"),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("Lynx <2>", "Lynx <2>"),
            ("", "An unknown browser"),
        ] {
            assert_eq!(super::name(user_agent), name);
        }
        assert_eq!(super::name(&"é".repeat(500)), "é".repeat(60));
    }
}
