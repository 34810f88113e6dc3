//! JavaScript's objects: reading properties, making results.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::{JsError, JsValue};

/// A property, or `None` if it is undefined or null.
pub fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// A property that is true or false; false if it is missing.
pub fn flag(object: &JsValue, name: &str) -> Result<bool, JsError> {
    get(object, name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| wrong(name, "true or false")))
}

/// A property that is a number.
pub fn number(object: &JsValue, name: &str) -> Result<Option<f64>, JsError> {
    get(object, name).map(|value| value.as_f64().ok_or_else(|| wrong(name, "a number"))).transpose()
}

/// A property that is a whole number of 32 bits.
pub fn whole(object: &JsValue, name: &str) -> Result<Option<u32>, JsError> {
    number(object, name)?.map(|value| to_whole(value, name)).transpose()
}

/// A whole number of 32 bits.
pub fn to_whole(value: f64, name: &str) -> Result<u32, JsError> {
    let whole = value as u32;
    if f64::from(whole) == value { Ok(whole) } else { Err(wrong(name, "a whole number from 0 to 4294967295")) }
}

/// A property that is a text.
pub fn text(object: &JsValue, name: &str) -> Result<Option<String>, JsError> {
    get(object, name).map(|value| value.as_string().ok_or_else(|| wrong(name, "a string"))).transpose()
}

/// The choice that a property names; the first if it is missing.
pub fn one_of<T: Copy>(object: &JsValue, name: &str, choices: &[(&str, T)]) -> Result<T, JsError> {
    let Some(value) = text(object, name)? else { return Ok(choices[0].1) };
    let found = choices.iter().find(|(word, _)| *word == value);
    found.map(|&(_, choice)| choice).ok_or_else(|| {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        JsError::new(&format!("{name} is \"{value}\": one of {}", words.join(", ")))
    })
}

/// Refuses properties that nothing would read, such as a misspelled option.
pub fn only(object: &JsValue, what: &str, names: &[&str]) -> Result<(), JsError> {
    if object.is_undefined() || object.is_null() {
        return Ok(());
    }
    let Some(object) = Object::try_from(object) else { return Err(wrong(what, "an object")) };
    for key in Object::keys(object).iter() {
        let key = key.as_string().unwrap_or_default();
        if !names.contains(&&*key) {
            return Err(JsError::new(&format!("{what} has no \"{key}\": one of {}", names.join(", "))));
        }
    }
    Ok(())
}

/// An object with these properties.
pub fn object<const N: usize>(properties: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        // A new object takes every property.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

fn wrong(name: &str, wanted: &str) -> JsError {
    JsError::new(&format!("{name} must be {wanted}"))
}
