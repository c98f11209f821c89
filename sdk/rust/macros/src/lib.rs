//! The four attributes of `ringfence-sdk`, which re-exports them; nobody depends on this crate directly.
//!
//! Owns nothing but token shuffling: each attribute keeps the function as it stands, checks its signature, and adds
//! the component export that calls it.
//!
//! **Invariant:** no parser crate is pulled in, so a plugin builds in seconds. What an export does is decided in
//! `ringfence_sdk::__private`, not here.

use proc_macro::{TokenStream, TokenTree};

/// Makes a function the component's sensor: `fn(&Context) -> Result<Observation>`.
#[proc_macro_attribute]
pub fn sensor(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand(&SENSOR, &arguments, function)
}

/// Makes a function the component's decider: `fn(&Context, &Situation) -> Result<Decision>`.
#[proc_macro_attribute]
pub fn decider(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand(&DECIDER, &arguments, function)
}

/// Makes a function the component's executor: `fn(&Context, &str, Value) -> Result<Outcome>`.
#[proc_macro_attribute]
pub fn executor(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand(&EXECUTOR, &arguments, function)
}

/// Makes a function the component's gate: `fn(&Context, &Change) -> Result<impl Into<Verdict>>`.
#[proc_macro_attribute]
pub fn gate(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand(&GATE, &arguments, function)
}

/// What differs between the roles.
struct Role {
    name: &'static str,
    /// The exported function's name, parameters and the arguments passed on after the plugin's function.
    verb: &'static str,
    parameters: &'static str,
    arguments: &'static str,
    /// What the plugin's function takes, and as many names for it.
    takes: &'static str,
    names: &'static str,
}

const SENSOR: Role = Role {
    name: "sensor",
    verb: "observe",
    parameters: "",
    arguments: "",
    takes: "&'static ::ringfence_sdk::Context",
    names: "cx",
};
const DECIDER: Role = Role {
    name: "decider",
    verb: "decide",
    parameters: "situation: String",
    arguments: ", &situation",
    takes: "&'static ::ringfence_sdk::Context, &'static ::ringfence_sdk::Situation",
    names: "cx, situation",
};
const EXECUTOR: Role = Role {
    name: "executor",
    verb: "act",
    parameters: "action: String, input: String",
    arguments: ", &action, &input",
    takes: "&'static ::ringfence_sdk::Context, &str, ::ringfence_sdk::prelude::Value",
    names: "cx, action, input",
};
const GATE: Role = Role {
    name: "gate",
    verb: "judge",
    parameters: "",
    arguments: "",
    takes: "&'static ::ringfence_sdk::Context, &'static ::ringfence_sdk::Change",
    names: "cx, change",
};

fn expand(role: &Role, arguments: &TokenStream, function: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        return with_error(function, &format!("#[{}] takes no arguments", role.name));
    }
    let Some(name) = function_name(&function) else {
        return with_error(function, &format!("#[{}] belongs on a function", role.name));
    };
    let Role {
        name: role,
        verb,
        parameters,
        arguments,
        takes,
        names,
    } = role;
    // A call of the plugin's own function: what it takes wrongly is told at it. The name is there to be taken, once.
    let once = format!("_THE_ONE_{}_OF_A_CRATE", role.to_uppercase());
    let export = format!(
        "const {once}: () = ();
        const _: fn({takes}) = |{names}| ::ringfence_sdk::__private::check_{role}({name}({names}));
        #[cfg(target_family = \"wasm\")]
        const _: () = {{
            struct Export;
            impl ::ringfence_sdk::__private::{role}::Guest for Export {{
                fn {verb}({parameters}) -> ::ringfence_sdk::__private::{role}::Answer {{
                    ::ringfence_sdk::__private::{role}::call({name}{arguments})
                }}
            }}
            ::ringfence_sdk::__private::{role}::bindings::export_{role}!(
                Export with_types_in ::ringfence_sdk::__private::{role}::bindings
            );
        }};"
    );
    let mut tokens = function;
    match export.parse::<TokenStream>() {
        Ok(export) => tokens.extend(export),
        Err(error) => return with_error(tokens, &error.to_string()),
    }
    tokens
}

/// The identifier after the first `fn` outside any brackets.
fn function_name(tokens: &TokenStream) -> Option<String> {
    let mut tokens = tokens.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident.to_string() == "fn"))?;
    match tokens.next() {
        Some(TokenTree::Ident(name)) => Some(name.to_string()),
        _ => None,
    }
}

/// The tokens as they were, and a compile error beside them.
fn with_error(mut tokens: TokenStream, message: &str) -> TokenStream {
    if let Ok(error) = format!("compile_error!({message:?});").parse::<TokenStream>() {
        tokens.extend(error);
    }
    tokens
}
