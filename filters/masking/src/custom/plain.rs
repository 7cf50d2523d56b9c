//! A pattern in which `\b \d \w \s` mean ASCII, as texts are folded.

use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl,
    ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags, FlagsItem, FlagsItemKind, Group, GroupKind,
};

use crate::fold::letters::{Reading, reading};

/// Whether a pattern has classes of Unicode's tables, which the filter does not carry.
pub fn has_unicode_class(ast: &Ast) -> bool {
    match ast {
        Ast::ClassUnicode(_) => true,
        Ast::ClassBracketed(class) => set_has_unicode_class(&class.kind),
        Ast::Repetition(repetition) => has_unicode_class(&repetition.ast),
        Ast::Group(group) => has_unicode_class(&group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter().any(has_unicode_class),
        Ast::Concat(concat) => concat.asts.iter().any(has_unicode_class),
        Ast::Assertion(_)
        | Ast::Empty(_)
        | Ast::Flags(_)
        | Ast::Dot(_)
        | Ast::ClassPerl(_)
        | Ast::Literal(_) => false,
    }
}

fn set_has_unicode_class(set: &ClassSet) -> bool {
    match set {
        ClassSet::Item(item) => item_has_unicode_class(item),
        ClassSet::BinaryOp(both) => {
            set_has_unicode_class(&both.lhs) || set_has_unicode_class(&both.rhs)
        }
    }
}

fn item_has_unicode_class(item: &ClassSetItem) -> bool {
    match item {
        ClassSetItem::Unicode(_) => true,
        ClassSetItem::Bracketed(class) => set_has_unicode_class(&class.kind),
        ClassSetItem::Union(union) => union.items.iter().any(item_has_unicode_class),
        ClassSetItem::Perl(_)
        | ClassSetItem::Empty(_)
        | ClassSetItem::Literal(_)
        | ClassSetItem::Range(_)
        | ClassSetItem::Ascii(_) => false,
    }
}

/// Rewrites classes and boundaries to their ASCII forms, and characters that no folded
/// text has to what they are folded to.
pub fn make_ascii(ast: &mut Ast) {
    match ast {
        Ast::ClassPerl(class) => {
            let kind = ClassSet::Item(ClassSetItem::Ascii(ascii(class)));
            *ast = Ast::class_bracketed(ClassBracketed { span: class.span, negated: false, kind });
        }
        Ast::Assertion(assertion) if is_of_words(assertion) => {
            let kind = GroupKind::NonCapturing(without_unicode(assertion));
            let inner = Box::new(Ast::Assertion(assertion.clone()));
            *ast = Ast::group(Group { span: assertion.span, kind, ast: inner });
        }
        Ast::Literal(literal) => {
            if let Reading::As(plain) = reading(literal.c) {
                literal.c = plain;
            }
        }
        Ast::ClassBracketed(class) => make_set_ascii(&mut class.kind),
        Ast::Repetition(repetition) => make_ascii(&mut repetition.ast),
        Ast::Group(group) => make_ascii(&mut group.ast),
        Ast::Alternation(alternation) => alternation.asts.iter_mut().for_each(make_ascii),
        Ast::Concat(concat) => concat.asts.iter_mut().for_each(make_ascii),
        Ast::Assertion(_) | Ast::Empty(_) | Ast::Flags(_) | Ast::Dot(_) | Ast::ClassUnicode(_) => {}
    }
}

fn make_set_ascii(set: &mut ClassSet) {
    match set {
        ClassSet::Item(item) => make_item_ascii(item),
        ClassSet::BinaryOp(both) => {
            make_set_ascii(&mut both.lhs);
            make_set_ascii(&mut both.rhs);
        }
    }
}

fn make_item_ascii(item: &mut ClassSetItem) {
    match item {
        ClassSetItem::Perl(class) => *item = ClassSetItem::Ascii(ascii(class)),
        ClassSetItem::Bracketed(class) => make_set_ascii(&mut class.kind),
        ClassSetItem::Union(union) => union.items.iter_mut().for_each(make_item_ascii),
        ClassSetItem::Empty(_)
        | ClassSetItem::Literal(_)
        | ClassSetItem::Range(_)
        | ClassSetItem::Ascii(_)
        | ClassSetItem::Unicode(_) => {}
    }
}

fn ascii(class: &ClassPerl) -> ClassAscii {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    ClassAscii { span: class.span, kind, negated: class.negated }
}

fn is_of_words(assertion: &Assertion) -> bool {
    !matches!(
        assertion.kind,
        AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText
    )
}

fn without_unicode(assertion: &Assertion) -> Flags {
    let span = assertion.span;
    let kinds = [FlagsItemKind::Negation, FlagsItemKind::Flag(Flag::Unicode)];
    Flags { span, items: kinds.into_iter().map(|kind| FlagsItem { span, kind }).collect() }
}
