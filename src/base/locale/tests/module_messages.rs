use super::super::ModuleMessages;

#[test]
fn added_messages_with_foreign_keys_are_refused() {
    let check = |tag, ftl| {
        let module = "todo";
        ModuleMessages { module, tag, ftl }.check()
    };
    assert!(check("en", "todo-title = To do\n").is_ok());
    for (tag, ftl) in [
        ("tlh", "todo-title = To do\n"),
        ("en", "title = To do\n"),
        ("en", "todo-title = { $\n"),
    ] {
        assert!(check(tag, ftl).is_err(), "{ftl}");
    }
}
