//! A letter as a small HTML document of its own: readable by everybody, in light and dark, fetching nothing.

use std::fmt::Write;

use pulldown_cmark::Event;

use super::{markdown, text};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0 auto;max-width:38em;padding:1em;font:16px/1.5 Georgia,'Times New Roman',serif}\
blockquote{margin:1em 0;padding-left:1em;border-left:3px solid #888}";

/// Makes a complete document of a subject and Markdown; `lang` is the language of the letter, as in `en`.
pub fn to_html(subject: &str, markdown: &str, lang: &str) -> String {
    of_events(subject, markdown::events(markdown), lang)
}

pub(super) fn of_events(subject: &str, events: Vec<Event<'_>>, lang: &str) -> String {
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, events.into_iter());
    let (subject, lang) = (escaped(subject), escaped(lang));
    let mut html = String::with_capacity(body.len() + 600);
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{subject}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    );
    html
}

/// The plain text and the HTML document of one letter, its Markdown read once for both.
pub fn to_text_and_html(subject: &str, markdown: &str, lang: &str) -> (String, String) {
    let events = markdown::events(markdown);
    let text = text::of_events(&events);
    (text, of_events(subject, events, lang))
}

/// Text as it may stand in HTML, between tags or in a quoted attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_and_language_cannot_leave_their_place() {
        let html = to_html("</title><b>", "x", "en\"><b>");
        assert!(html.contains("<title>&lt;/title&gt;&lt;b&gt;</title>"));
        assert!(html.contains("<html lang=\"en&quot;&gt;&lt;b&gt;\">"));
    }

    #[test]
    fn raw_html_is_shown_and_never_obeyed() {
        let html =
            to_html("s", "<script>alert(1)</script>\n\nx <b onclick=\"y\">z</b> ![p](https://x.example/p.png)", "en");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(!html.contains("<b "), "{html}");
        assert!(!html.contains("<img"), "{html}");
    }

    #[test]
    fn nothing_is_fetched_from_anywhere() {
        let html = to_html("s", "[a](https://x.example) www.x.example", "en");
        assert!(!html.contains("src="));
        assert!(!html.contains("url("));
        assert_eq!(html.matches("href=").count(), 2);
    }
}
