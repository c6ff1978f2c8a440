//! `steerlab theory`: what theory says for given parameters.
//!
//! Everything here is made from the engine's table of models: options, help, answers and the page
//! `scenarios/theory.md`.

use crate::args::{Cli, Format, Global, TheoryArgs};
use crate::console::Console;
use crate::exit::Exit;
use crate::table;
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, value_parser,
};
use serde_json::{Value, json};
use steerlab_engine::theory::{Answer, Model, Parameter, Preset, Trouble, model, models};

/// Lists models, or computes one.
pub fn theory(console: &Console, args: &TheoryArgs) -> Exit {
    let Some(name) = &args.model else {
        console.answer(&if args.help { own_help() } else { listing(args.format) });
        return Exit::Done;
    };
    let Some(model) = model(name) else {
        let what = format!("`{name}` is no model");
        return console.fail(Exit::BadInput, &what, &format!("one of {}", names()));
    };
    if args.help {
        console.answer(&command(model).render_help().to_string());
        return Exit::Done;
    }
    let words = std::iter::once("theory".to_owned()).chain(args.parameters.iter().cloned());
    let matches = match command(model).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            console.answer(&error.render().to_string());
            return Exit::Done;
        }
        Err(error) => {
            console.err(&crate::console::printable(&error.render().to_string()));
            return Exit::BadInput;
        }
    };
    let console = match Global::from_arg_matches(&matches) {
        Ok(global) => Console::new(&global),
        Err(_) => *console,
    };
    let format = matches.get_one::<Format>("format").copied().unwrap_or(args.format);
    let texts = texts(model, &matches);
    match model.answer(&texts) {
        Ok(answers) => {
            console.answer(&shown(model, &texts, &answers, format));
            Exit::Done
        }
        Err(troubles) => {
            for trouble in &troubles {
                let what = format!("{} {}", option(trouble), trouble.what);
                console.fail(Exit::BadInput, &what, &trouble.help.replace('_', "-"));
            }
            Exit::BadInput
        }
    }
}

/// Help of the command itself.
fn own_help() -> String {
    let mut cli = Cli::command();
    cli.build();
    let own = cli.find_subcommand_mut("theory").expect("the command is one of the table");
    own.render_help().to_string()
}

/// The parameter as it is typed.
fn option(trouble: &Trouble) -> String {
    format!("--{}", trouble.parameter.replace('_', "-"))
}

fn names() -> String {
    models().map(|model| model.name).collect::<Vec<_>>().join(", ")
}

/// The options of one model.
fn command(model: &'static Model) -> Command {
    let mut command = Command::new(format!("steerlab theory {}", model.name))
        .bin_name(format!("steerlab theory {}", model.name))
        .about(format!("{}: {}", model.title, model.about))
        .after_help(quantities_help(model))
        .max_term_width(100);
    for parameter in model.parameters {
        let mut arg = Arg::new(parameter.name)
            .long(parameter.name.replace('_', "-"))
            .help(help(parameter))
            .value_name(value_name(parameter))
            .allow_hyphen_values(true)
            .action(ArgAction::Append);
        if parameter.name.contains('_') {
            arg = arg.alias(parameter.name);
        }
        for &alias in parameter.aliases {
            if alias.len() == 1 {
                arg = arg.alias(alias);
            } else {
                arg = arg.aliases([alias.to_owned(), alias.replace('_', "-")]);
            }
        }
        command = command.arg(arg);
    }
    let format = Arg::new("format").long("format").value_parser(value_parser!(Format));
    Global::augment_args(command.arg(format.help("Form of the answer")))
}

fn value_name(parameter: &Parameter) -> String {
    use steerlab_engine::theory::Kind;
    match parameter.kind {
        Kind::Law => "LAW".to_owned(),
        Kind::Numbers(..) => "X,Y,...".to_owned(),
        Kind::Count(..) => "N".to_owned(),
        Kind::Number(_) if parameter.unit.is_empty() => "X".to_owned(),
        Kind::Number(_) => parameter.unit.to_uppercase(),
    }
}

fn help(parameter: &Parameter) -> String {
    let preset = match parameter.preset {
        Preset::Required => "; required".to_owned(),
        Preset::None => String::new(),
        Preset::Text(text) => format!("; default: {text}"),
    };
    format!("{} ({}{preset})", parameter.meaning, parameter.kind)
}

fn quantities_help(model: &Model) -> String {
    let rows: Vec<Vec<String>> = model
        .quantities
        .iter()
        .map(|one| {
            [one.name, one.unit, one.formula, one.meaning].iter().map(|s| (*s).to_owned()).collect()
        })
        .collect();
    let rows = table::plain(&["Quantity", "unit", "formula", "meaning"], &rows);
    let example = format!("Example: steerlab theory {} {}", model.name, model.example);
    format!("{rows}\nSource: {}\n{example}", model.source)
}

/// What was typed for each parameter, in the order of the table; values given twice stay twice.
fn texts(model: &Model, matches: &ArgMatches) -> Vec<(String, String)> {
    let of = |parameter: &Parameter| {
        let values = matches.get_many::<String>(parameter.name).into_iter().flatten();
        values.map(|value| (parameter.name.to_owned(), value.clone())).collect::<Vec<_>>()
    };
    model.parameters.iter().flat_map(of).collect()
}

fn shown(model: &Model, texts: &[(String, String)], answers: &[Answer], format: Format) -> String {
    if format == Format::Json {
        return as_json(model, texts, answers).to_string();
    }
    let rows: Vec<Vec<String>> = answers
        .iter()
        .map(|answer| {
            let quantity = answer.quantity;
            vec![
                answer.id(),
                number(answer.value),
                quantity.unit.to_owned(),
                quantity.formula.to_owned(),
            ]
        })
        .collect();
    let head = ["quantity", "value", "unit", "formula"];
    let given: Vec<String> = model.parameters.iter().filter_map(|one| stated(one, texts)).collect();
    let given = given.join(", ");
    if format == Format::Md {
        return format!("**{}** ({given})\n\n{}", model.title, table::markdown(&head, &rows));
    }
    let rows = table::plain(&head, &rows);
    format!("{}: {given}\n\n{rows}\nSource: {}\n", model.title, model.source)
}

/// A parameter as given or by default.
fn stated(parameter: &Parameter, texts: &[(String, String)]) -> Option<String> {
    let given =
        texts.iter().find(|(name, _)| name == parameter.name).map(|(_, text)| text.as_str());
    let text = match (given, parameter.preset) {
        (Some(text), _) => text,
        (None, Preset::Text(text)) => text,
        (None, _) => return None,
    };
    Some(format!("{} = {text}", parameter.name))
}

/// Nine significant digits: enough to compare by hand. JSON has all.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return "infinite".to_owned();
    }
    let rounded: f64 = format!("{value:.8e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-5..1e15).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}

fn as_json(model: &Model, texts: &[(String, String)], answers: &[Answer]) -> Value {
    let given = |one: &Parameter| {
        let stated = stated(one, texts)?;
        let text = stated.split_once(" = ").map(|(_, text)| text.to_owned())?;
        Some((one.name.to_owned(), Value::from(text)))
    };
    let parameters: serde_json::Map<_, _> = model.parameters.iter().filter_map(given).collect();
    let quantities: Vec<Value> = answers
        .iter()
        .map(|answer| {
            json!({
                "id": answer.id(),
                "value": if answer.value.is_finite() { json!(answer.value) } else { json!("infinite") },
                "unit": answer.quantity.unit,
                "formula": answer.quantity.formula,
                "meaning": answer.quantity.meaning,
            })
        })
        .collect();
    json!({
        "format": "steerlab-theory/1",
        "model": model.name,
        "title": model.title,
        "source": model.source,
        "parameters": parameters,
        "quantities": quantities,
    })
}

fn listing(format: Format) -> String {
    let rows: Vec<Vec<String>> = models()
        .map(|model| {
            let example = format!("steerlab theory {} {}", model.name, model.example);
            vec![model.name.to_owned(), model.title.to_owned(), example]
        })
        .collect();
    let head = ["model", "what", "example"];
    match format {
        Format::Table => {
            let note =
                "Max-min shares of links: steerlab share. Details: steerlab theory MODEL --help";
            format!("{}\n{note}\n", table::plain(&head, &rows))
        }
        Format::Md => page(),
        Format::Json => {
            let all: Vec<Value> = models().map(model_json).collect();
            json!({ "format": "steerlab-theory-models/1", "models": all }).to_string()
        }
    }
}

fn model_json(model: &Model) -> Value {
    let parameters: Vec<Value> = model
        .parameters
        .iter()
        .map(|one| {
            json!({
                "name": one.name, "unit": one.unit, "meaning": one.meaning,
                "range": one.kind.to_string(), "aliases": one.aliases,
                "required": one.preset == Preset::Required,
                "default": if let Preset::Text(text) = one.preset { json!(text) } else { Value::Null },
            })
        })
        .collect();
    let quantities: Vec<Value> = model
        .quantities
        .iter()
        .map(|one| {
            json!({
                "name": one.name, "unit": one.unit,
                "formula": one.formula, "meaning": one.meaning,
            })
        })
        .collect();
    json!({
        "name": model.name, "aliases": model.aliases, "title": model.title, "about": model.about,
        "source": model.source, "parameters": parameters, "quantities": quantities,
    })
}

/// The page of all models, in Markdown.
fn page() -> String {
    let mut text = String::from(
        "# Theory\n\nWhat `steerlab theory MODEL` computes. The tests of the engine and the labs in \
         `load/` use the same\nfunctions. This page is what `steerlab theory --format md` prints; \
         do not edit it.\n",
    );
    for model in models() {
        text.push_str(&format!("\n## {}: {}\n\n{}\n\n", model.name, model.title, model.about));
        text.push_str(&format!("`steerlab theory {} {}`\n\n", model.name, model.example));
        let words = |list: [&str; 4]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let parameters: Vec<Vec<String>> = model
            .parameters
            .iter()
            .map(|one| {
                let preset = match one.preset {
                    Preset::Required => "required",
                    Preset::None => "-",
                    Preset::Text(text) => text,
                };
                words([one.name, &one.kind.to_string(), preset, one.meaning])
            })
            .collect();
        text.push_str(&table::markdown(&["parameter", "range", "default", "meaning"], &parameters));
        let quantities: Vec<Vec<String>> = model
            .quantities
            .iter()
            .map(|one| words([one.name, one.unit, one.formula, one.meaning]))
            .collect();
        text.push('\n');
        text.push_str(&table::markdown(&["quantity", "unit", "formula", "meaning"], &quantities));
        text.push_str(&format!("\nSource: {}.\n", model.source));
    }
    text
}
