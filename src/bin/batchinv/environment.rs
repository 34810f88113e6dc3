//! The environment that drivers see.

/// Keeps libwayland from printing on standard error that `XDG_RUNTIME_DIR` is missing, as it is in containers, under
/// cron, and over some ssh connections.
///
/// Mesa's layer for the selection of a device, up to version 24, asks a Wayland compositor for its device whenever an
/// instance of Vulkan could show windows, and wgpu makes no other. Without the variable, or with a relative path in it,
/// libwayland prints a line each time. With a path below which nothing can exist, it finds no compositor either, in
/// silence. The layer itself stays, with the order and the variables that it gives to devices, and so does whatever
/// else is printed there.
///
/// Call this while the process has no other thread.
pub fn quiet_wayland() {
    let usable = std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|path| path.as_encoded_bytes().starts_with(b"/"));
    if cfg!(target_os = "linux") && !usable {
        #[allow(unsafe_code, reason = "there is no safe form, and drivers read nothing but the environment")]
        // SAFETY: `main` calls this first, and no thread runs before `main` in this program: nobody reads the
        // environment meanwhile.
        unsafe {
            std::env::set_var("XDG_RUNTIME_DIR", "/dev/null");
        }
    }
}
