//! Generated: the WASI file system, and the contract with plugins.
//!
//! One world holds everything; each role's exports are looked up by themselves (see [`crate::plugin`]), so that a
//! component needs only the roles it has.

wasmtime::component::bindgen!({
    inline: "
        package ringfence:host;

        world host {
            import wasi:filesystem/types@0.2.12;
            import wasi:filesystem/preopens@0.2.12;
            include ringfence:beat/sensor@0.1.0;
            include ringfence:beat/decider@0.1.0;
            include ringfence:beat/executor@0.1.0;
            include ringfence:beat/gate@0.1.0;
        }
    ",
    path: ["wit/io.wit", "wit/clocks.wit", "wit/filesystem.wit", "../../wit/beat.wit"],
    world: "ringfence:host/host",
    imports: { default: trappable },
    exports: { default: async },
    trappable_error_type: {
        "wasi:filesystem/types.error-code" => crate::fs::FsError,
    },
    with: {
        "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:filesystem/types.descriptor": crate::fs::Descriptor,
        "wasi:filesystem/types.directory-entry-stream": crate::fs::Listing,
    },
    require_store_data_send: true,
});
