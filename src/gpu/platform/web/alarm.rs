//! The clock that wakes calls that are late: the browser's.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};

use crate::data::clock::Instant;

/// The longest delay of `setTimeout`, in milliseconds (HTML Standard, "Timers").
const LONGEST: f64 = 2_147_483_647.0;

/// Wakes a task at a point in time, unless it is dropped before.
#[derive(Default)]
pub struct Alarm(Option<Timeout>);

struct Timeout {
    id: JsValue,
    /// `None` once it has rung.
    waker: Rc<RefCell<Option<Waker>>>,
    _callback: Closure<dyn FnMut()>,
}

impl Alarm {
    pub fn set(&mut self, end: Instant, waker: &Waker) {
        if let Some(timeout) = &self.0
            && let Some(own) = &mut *timeout.waker.borrow_mut()
        {
            own.clone_from(waker);
            return;
        }
        // Timers may ring early: the task then sets another.
        let waker = Rc::new(RefCell::new(Some(waker.clone())));
        let rings = Rc::clone(&waker);
        let callback = Closure::<dyn FnMut()>::new(move || {
            let waker = rings.take();
            waker.into_iter().for_each(Waker::wake);
        });
        let delay = end.saturating_duration_since(Instant::now()).as_secs_f64() * 1e3;
        // Without the function, the limit is not kept.
        let id = call("setTimeout", &[callback.as_ref(), &delay.ceil().min(LONGEST).into()]);
        self.0 = Some(Timeout { id, waker, _callback: callback });
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        call("clearTimeout", &[&self.id]);
    }
}

/// Calls a function of the global scope, of a window or of a worker.
fn call(name: &str, arguments: &[&JsValue]) -> JsValue {
    let global = js_sys::global();
    let function = Reflect::get(&global, &name.into()).ok().and_then(|found| found.dyn_into::<Function>().ok());
    let list = arguments.iter().copied().collect::<js_sys::Array>();
    function.and_then(|function| Reflect::apply(&function, &global, &list).ok()).unwrap_or(JsValue::UNDEFINED)
}
