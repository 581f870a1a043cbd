//! The app's answer to a request.

use std::any::Any;
use std::future::Future;

use http_types::{Request, Response, StatusCode};
use serde_json::Value;

use super::App;
use crate::common::answer::Answer;
use crate::common::field;
use crate::common::refusal::Refusal;
use crate::common::request_id::RequestId;

/// The media type of text, as http-types writes it.
pub(super) const TEXT: &str = "text/plain;charset=utf-8";

const JSON: &str = "application/json";

/// What answers a request.
#[derive(Debug)]
pub(crate) enum Answered {
    /// It is complete, and is sent as it is.
    Ready(Answer),
    /// A handler or middleware made it with http-types.
    Response(Box<Response>),
}

impl Answered {
    /// Handlers mostly answer text and JSON. For these http-types makes a reader, a map and a parsed media type,
    /// which cost as much as the rest of the app. The client gets the same without them.
    pub(super) fn of<A: Into<Response> + 'static>(answer: A) -> Self {
        let mut answer = Some(answer);
        let any: &mut dyn Any = &mut answer;
        let ready = if let Some(text) = any.downcast_mut::<Option<&'static str>>() {
            text.take().map(|text| Answer::of_type(TEXT, text))
        } else if let Some(text) = any.downcast_mut::<Option<String>>() {
            text.take().map(|text| Answer::of_type(TEXT, text))
        } else if let Some(json) = any.downcast_mut::<Option<Value>>() {
            json.take().map(|json| Answer::of_type(JSON, json.to_string()))
        } else {
            None
        };
        let made = answer.map(|answer| Self::Response(Box::new(answer.into())));
        made.or(ready.map(Self::Ready)).unwrap_or_else(|| internal_error().into())
    }
}

impl From<Answered> for Response {
    fn from(answered: Answered) -> Self {
        match answered {
            Answered::Ready(answer) => answer.into(),
            Answered::Response(response) => *response,
        }
    }
}

impl From<Refusal> for Answered {
    fn from(refusal: Refusal) -> Self {
        Self::Ready(refusal.answer())
    }
}

/// The app's answer, or a 500 if it cannot be sent.
pub(crate) fn answer(
    app: &App,
    request: Request,
    id: RequestId,
) -> impl Future<Output = Answered> + Send + use<> {
    // The handler owns the request from here on, so that the waiting future stays small.
    let answered = app.answered(request);
    async move {
        let answered = answered.await;
        if let Answered::Response(response) = &answered
            && let Err(error) = check(response)
        {
            log::error!("request {id}: {error}");
            return internal_error().into();
        }
        answered
    }
}

pub(crate) fn internal_error() -> Refusal {
    Refusal::bare(StatusCode::InternalServerError)
}

/// Why a response that a handler made cannot be sent.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    #[error("the response field {0} has a name or value that HTTP cannot carry")]
    Field(String),
    #[error("the status {0} cannot end an exchange")]
    Status(StatusCode),
}

/// Checks that `response` can be sent. http-types accepts line breaks in values, with which anybody who
/// gets a string into a field could add fields, or a second response.
fn check(response: &Response) -> Result<(), Unsendable> {
    if response.status().is_informational() {
        return Err(Unsendable::Status(response.status()));
    }
    for (name, values) in response {
        let sound = |value: &str| value.bytes().all(field::is_text);
        if !field::is_token(name.as_str().as_bytes()) || !values.iter().all(|v| sound(v.as_str())) {
            return Err(Unsendable::Field(format!("{:?}", name.as_str())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http_types::Body;
    use serde_json::json;

    use super::*;

    /// Status, fields and content.
    fn parts(mut response: Response) -> (StatusCode, Vec<(String, String)>, Option<usize>, String) {
        let fields = response.iter().map(|(name, values)| (name.to_string(), values.to_string()));
        let fields = fields.collect();
        let length = response.len();
        let content = smol::block_on(response.body_string()).unwrap();
        (response.status(), fields, length, content)
    }

    #[track_caller]
    fn assert_same<A: Into<Response> + Clone + 'static>(answer: A, at_hand: bool) {
        let answered = Answered::of(answer.clone());
        assert_eq!(matches!(answered, Answered::Ready(_)), at_hand);
        assert_eq!(parts(answered.into()), parts(answer.into()));
    }

    #[test]
    fn what_is_at_hand_is_what_http_types_makes_of_it() {
        for text in ["", "hello", "b\u{fc}cher\n"] {
            assert_same(text, true);
            assert_same(text.to_owned(), true);
            assert_same(text.as_bytes(), false);
        }
        assert_same(json!({"a": [1, null, "b"]}), true);
        assert_same(StatusCode::ImATeapot, false);
        let made = Answered::of(Body::from_string("made".to_owned()));
        assert!(matches!(&made, Answered::Response(_)), "{made:?}");
    }
}
