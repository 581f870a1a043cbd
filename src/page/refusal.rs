use std::fmt;
use std::time::SystemTime;

use http_types::{Response, StatusCode, headers};
use turnkey_backend::time::utc;

use crate::common::answer::{Answer, TEXT};
use crate::common::refusal::Refusal;
use crate::page::{Page, escape};

impl Refusal {
    /// The answer in plain text. It becomes a page on its way out if the client is a person with a
    /// browser: [`for_people`].
    pub(crate) fn answer(&self) -> Answer {
        let mut answer = Answer::text(self.status, format!("{}\n", self.reason));
        answer.refusal = Some(self.clone());
        if self.is_of_what_was_understood() {
            // Others get a page (RFC 9110 §12.5.5).
            answer = answer.with("vary", "accept");
        }
        if self.status == StatusCode::ServiceUnavailable {
            // RFC 9110 §10.2.3, in seconds.
            answer = answer.with("retry-after", "1");
        }
        answer
    }

    /// The same for handlers and middleware.
    pub(crate) fn response(&self) -> Response {
        self.answer().into()
    }

    /// The refusal that `response` was made from, if its body was not replaced.
    fn of(response: &Response) -> Option<&Self> {
        let refusal: &Self = response.ext().get()?;
        let untouched = response.status() == refusal.status
            && response.len() == Some(refusal.reason.len() + 1)
            && response.header(headers::CONTENT_TYPE).is_some_and(|v| v.as_str() == TEXT);
        untouched.then_some(refusal)
    }

    /// Whether the request was understood. Clients that send something else get plain text.
    fn is_of_what_was_understood(&self) -> bool {
        !matches!(
            self.status,
            StatusCode::BadRequest
                | StatusCode::RequestTimeout
                | StatusCode::UriTooLong
                | StatusCode::RequestHeaderFieldsTooLarge
                | StatusCode::NotImplemented
                | StatusCode::HttpVersionNotSupported
        )
    }

    fn page(&self, id: impl fmt::Display, now: SystemTime) -> Page {
        let (number, name) = (u16::from(self.status), self.status.canonical_reason());
        let body = format!(
            "<p class=\"status\">{number}</p>\n<h1>{name}</h1>\n<p>{}</p>\n\
             <p class=\"lead\">Request <code>{id}</code> · {}</p>",
            escape(&self.sentence()),
            utc(now)
        );
        Page::new(format!("{number} {name}"), body)
    }

    /// The reason as a sentence; if it only repeats the status, an explanation of the status.
    fn sentence(&self) -> String {
        let says_more = !self.reason.ends_with(self.status.canonical_reason());
        match self.status {
            StatusCode::NotFound if !says_more => "There is nothing at this address.".to_owned(),
            StatusCode::MethodNotAllowed if !says_more => {
                "This address is there, but not for requests of this kind.".to_owned()
            }
            StatusCode::InternalServerError if !says_more => {
                "Something went wrong on this server. Its log says what, under the number of the \
                 request."
                    .to_owned()
            }
            _ => {
                let mut letters = self.reason.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                first.into_iter().chain(letters).chain(['.']).collect()
            }
        }
    }
}

/// Makes `response` a page, if it is a refusal for which there is one. `id` is the request's id in the log.
pub(crate) fn for_people(response: &mut Response, id: impl fmt::Display) {
    let Some(refusal) = Refusal::of(response).filter(|r| r.is_of_what_was_understood()) else {
        return;
    };
    let page = refusal.page(id, SystemTime::now());
    page.put_into(response);
    // The page shows the request's id, so each is different.
    response.insert_header(headers::CACHE_CONTROL, "no-store");
}

#[cfg(test)]
mod tests {
    use http_types::StatusCode as S;

    use super::*;

    fn page(mut response: Response) -> Option<String> {
        for_people(&mut response, "1.2");
        let is_page = response.content_type().is_some_and(|t| t.essence() == "text/html");
        let body = smol::block_on(response.body_string()).unwrap();
        is_page.then_some(body)
    }

    #[test]
    fn the_page_says_what_the_text_says() {
        let refusal = Refusal::new(S::Forbidden, "the certificate \"CN=<b>\" is not allowed here");
        let page = page(refusal.response()).unwrap();
        for part in [
            "<title>403 Forbidden</title>",
            "<h1>Forbidden</h1>",
            "The certificate &quot;CN=&lt;b&gt;&quot; is not allowed here.",
            "<code>1.2</code>",
        ] {
            assert!(page.contains(part), "no {part:?} in {page}");
        }
    }

    #[test]
    fn a_status_and_nothing_more_is_put_in_words() {
        for (status, words) in [
            (S::NotFound, "nothing at this address"),
            (S::MethodNotAllowed, "not for requests of this kind"),
            (S::InternalServerError, "Its log says what"),
        ] {
            let page = page(Refusal::bare(status).response()).unwrap();
            assert!(page.contains(words), "{page}");
        }
        let page = page(Refusal::new(S::Conflict, "Conflict").response()).unwrap();
        assert!(page.contains("<p>Conflict.</p>"), "{page}");
    }

    #[test]
    fn what_was_not_understood_is_answered_in_text() {
        for status in [
            S::BadRequest,
            S::RequestTimeout,
            S::UriTooLong,
            S::RequestHeaderFieldsTooLarge,
            S::NotImplemented,
            S::HttpVersionNotSupported,
        ] {
            assert_eq!(page(Refusal::new(status, "why").response()), None, "{status}");
        }
    }

    #[test]
    fn what_may_be_a_page_varies_with_who_asks() {
        for status in [S::Forbidden, S::NotFound, S::PayloadTooLarge, S::InternalServerError] {
            let mut response = Refusal::new(status, "why").response();
            let vary = |response: &Response| {
                response["vary"].iter().map(ToString::to_string).collect::<Vec<_>>()
            };
            assert_eq!(vary(&response), ["accept"], "{status}");
            for_people(&mut response, "1.2");
            assert_eq!(vary(&response), ["accept"], "{status}, as a page");
        }
        assert!(Refusal::new(S::BadRequest, "why").response().header("vary").is_none());
    }

    #[test]
    fn what_an_application_makes_of_it_stays() {
        let refused = || Refusal::new(S::NotFound, "why").response();
        assert!(page(refused()).is_some());
        let mut other = refused();
        other.set_status(S::Ok);
        assert_eq!(page(other), None);
        let mut other = refused();
        other.set_body("some text of its own");
        assert_eq!(page(other), None);
        let mut other = refused();
        other.insert_header("content-type", "application/json");
        assert_eq!(page(other), None);
        let mut own = Response::new(S::NotFound);
        own.set_body("why\n");
        assert_eq!(page(own), None);
    }

    #[test]
    fn fields_stay() {
        let mut response = Refusal::new(S::ServiceUnavailable, "why").response();
        for_people(&mut response, "1.2");
        assert_eq!(response["retry-after"].as_str(), "1");
        assert_eq!(response["cache-control"].as_str(), "no-store");
    }
}
