//! URLs as `java.net.URI` reads them, which is what Trino's `url_extract_*` functions mean by a URL.
//!
//! RFC 2396 with Java's deviations: characters outside ASCII are allowed, the host may be empty
//! before a path, and an authority that is no `host:port` is kept without a host.

/// The parts of a URL. A missing part is `None`, an empty one `Some("")`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Uri<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<i64>,
    pub(super) path: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) fragment: Option<&'a str>,
}

/// Reads a URL, `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Uri<'_>> {
    let (rest, fragment) = split_at(text, '#');
    if fragment.is_some_and(|fragment| !is_made_of(fragment, is_uric)) {
        return None;
    }
    let mut uri = Uri { fragment, ..Uri::default() };
    let stop = rest.find([':', '/', '?']);
    let hierarchical = match stop.and_then(|at| rest.split_at_checked(at)) {
        Some((scheme, after)) if after.starts_with(':') => {
            if !is_scheme(scheme) {
                return None;
            }
            uri.scheme = Some(scheme);
            let part = after.strip_prefix(':')?;
            if !part.starts_with('/') {
                // An opaque URL such as `mailto:someone`: no path, no query.
                return (!part.is_empty() && is_made_of(part, is_uric)).then_some(uri);
            }
            part
        }
        _ => rest,
    };
    let (before_query, query) = split_at(hierarchical, '?');
    if query.is_some_and(|query| !is_made_of(query, is_uric)) {
        return None;
    }
    uri.query = query;
    let path = match before_query.strip_prefix("//") {
        Some(after) => {
            let at = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at_checked(at)?;
            if authority.is_empty() && path.is_empty() && query.is_none() && fragment.is_none() {
                return None;
            }
            read_authority(authority, &mut uri)?;
            path
        }
        None => before_query,
    };
    uri.path = Some(path);
    is_made_of(path, is_path).then_some(uri)
}

/// Percent escapes decoded as UTF-8, as `URI.getPath` and its like give a part.
pub(super) fn decode(part: &str) -> String {
    if !part.contains('%') {
        return part.to_owned();
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                bytes.extend(hex_pair(*high, *low));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that two hexadecimal digits stand for.
pub(super) fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

fn split_at(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Whether all characters are allowed by `allowed`, escapes are whole, and the others are letters
/// and marks outside ASCII.
fn is_made_of(text: &str, allowed: fn(u8) -> bool) -> bool {
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let fits = match u8::try_from(character) {
            Ok(b'%') => {
                let digit = |one: Option<char>| one.is_some_and(|one| one.is_ascii_hexdigit());
                digit(rest.next()) && digit(rest.next())
            }
            Ok(byte) if byte.is_ascii() => allowed(byte),
            _ => !character.is_control() && !character.is_whitespace(),
        };
        if !fits {
            return false;
        }
    }
    true
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-!.~'()*".contains(&byte)
}

fn is_uric(byte: u8) -> bool {
    is_unreserved(byte) || b";/?:@&=+$,[]".contains(&byte)
}

fn is_path(byte: u8) -> bool {
    is_unreserved(byte) || b"/;:@&=+$,".contains(&byte)
}

fn is_registry(byte: u8) -> bool {
    is_unreserved(byte) || b"$,;:@&=+".contains(&byte)
}

/// Takes host and port from an authority, if it is `[user@]host[:port]`.
fn read_authority<'a>(authority: &'a str, uri: &mut Uri<'a>) -> Option<()> {
    let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let (host, port) = match server.find(']') {
        Some(end) => {
            let (host, after) = server.split_at_checked(end + 1)?;
            (host, after)
        }
        None => server.find(':').and_then(|at| server.split_at_checked(at)).unwrap_or((server, "")),
    };
    let digits = port.strip_prefix(':').unwrap_or("");
    let port_fits = (port.is_empty() || port.starts_with(':'))
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_host(host) && port_fits && is_made_of(user, is_registry) {
        uri.host = Some(host);
        uri.port = digits.parse::<i32>().ok().map(i64::from);
        return Some(());
    }
    is_made_of(authority, is_registry).then_some(())
}

/// Whether it is an IPv6 address in brackets, an IPv4 address or a host name.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = inner.split_once('%').map_or(inner, |(address, _)| address);
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let labels_fit = name.split('.').all(|label| {
        label.starts_with(|first: char| first.is_ascii_alphanumeric())
            && label.ends_with(|last: char| last.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let last_fits = name
        .rsplit_once('.')
        .is_none_or(|(_, last)| last.starts_with(|first: char| first.is_ascii_alphabetic()));
    labels_fit && last_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_url_are_found() {
        let uri = parse("http://user@example.com:8080/path1/p.php?k1=v1&k2=v2#Ref1").unwrap();
        assert_eq!(uri.scheme, Some("http"));
        assert_eq!(uri.host, Some("example.com"));
        assert_eq!(uri.port, Some(8080));
        assert_eq!(uri.path, Some("/path1/p.php"));
        assert_eq!(uri.query, Some("k1=v1&k2=v2"));
        assert_eq!(uri.fragment, Some("Ref1"));
        assert_eq!(parse("foo").unwrap(), Uri { path: Some("foo"), ..Uri::default() });
        assert_eq!(parse("mailto:test@example.com").unwrap().path, None);
        assert_eq!(parse("http://[::1]:80/").unwrap().host, Some("[::1]"));
        assert_eq!(parse("file:///etc/hosts").unwrap().path, Some("/etc/hosts"));
        assert_eq!(parse("http://my_host/a").unwrap().host, None);
    }

    #[test]
    fn what_java_refuses_is_no_url() {
        for text in [
            "http://not uri/cannot contain whitespace",
            "a b",
            "%zz",
            "x%2",
            "http://",
            ":a",
            "1a:b",
            "^",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(decode("/a%20b%E2%82%AC%ff"), "/a b€\u{fffd}");
    }
}
