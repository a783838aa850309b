//! One row, checked as the lists are: what a page proposes is held to the same rules.

use std::path::Path;

use workflows::proposal::Columns;

use super::Problem;
use super::fields::Taker;
use super::files::Raw;
use super::rows::{contract, user};
use crate::store::contracts::Contract;
use crate::store::users::User;

/// A contract out of its columns.
pub fn contract_of(columns: &Columns) -> Result<Contract, Vec<Problem>> {
    taken(columns, contract)
}

/// A user out of the columns, without the contract's row.
pub fn user_of(columns: &Columns) -> Result<User, Vec<Problem>> {
    taken(columns, |taker| user(taker).map(|row| row.user))
}

fn taken<T>(
    columns: &Columns,
    take: impl FnOnce(&mut Taker<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let values = columns.iter().filter(|(_, value)| !value.is_empty());
    let values = values.map(|(name, value)| (name.clone(), value.clone())).collect();
    let raw = Raw { line: 1, values };
    let mut problems = Vec::new();
    let row = take(&mut Taker { file: Path::new(""), raw: &raw, problems: &mut problems });
    match row {
        Some(row) if problems.is_empty() => Ok(row),
        _ => Err(problems),
    }
}

/// The columns of a contract as its list has them.
pub fn columns_of_contract(row: &Contract) -> Columns {
    let text = str::to_owned;
    [
        ("number", row.number.clone()),
        ("variant", row.variant.clone()),
        ("status", row.status.clone()),
        ("company", row.company.clone()),
        ("company_kana", row.company_kana.clone()),
        ("representative", row.representative.clone()),
        ("branch", row.branch.clone()),
        ("account_type", row.account_type.clone()),
        ("account_number", row.account_number.clone()),
        ("phone", row.phone.clone()),
        ("language", row.language.clone()),
        ("phrase", row.phrase.clone()),
        ("target_only_reveal", text(yes_no(row.target_only_reveal))),
    ]
    .map(|(name, value)| (text(name), value))
    .into()
}

/// The columns of a user as their list has them.
pub fn columns_of_user(contract: &str, row: &User) -> Columns {
    let text = str::to_owned;
    [
        ("contract", text(contract)),
        ("user_id", row.user_id.clone()),
        ("name", row.name.clone()),
        ("kana", row.kana.clone()),
        ("department", row.department.clone()),
        ("title", row.title.clone()),
        ("email", row.email.clone()),
        ("language", row.language.clone()),
        ("status", row.status.clone()),
        ("reissue_authority", text(yes_no(row.reissue_authority))),
        ("certificate_required", text(yes_no(row.certificate_required))),
    ]
    .map(|(name, value)| (text(name), value))
    .into()
}

const fn yes_no(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(columns: &Columns, name: &str, value: &str) -> Columns {
        let mut columns = columns.clone();
        columns.insert(name.to_owned(), value.to_owned());
        columns
    }

    #[test]
    fn a_row_goes_to_columns_and_back() {
        let contract: Columns = [
            ("number", "0104-212345"),
            ("variant", "light"),
            ("company", "青葉製作所"),
            ("company_kana", "ｱｵﾊﾞ"),
            ("representative", "代表 森"),
            ("branch", "００１"),
            ("account_type", "current"),
            ("account_number", "1234567"),
            ("phone", "03-1234-5678"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let row = contract_of(&contract).unwrap();
        assert_eq!((row.number.as_str(), row.branch.as_str()), ("0104212345", "001"));
        assert_eq!(contract_of(&columns_of_contract(&row)).unwrap(), row);
        let problems = contract_of(&changed(&contract, "phone", "12")).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].column, "phone");
    }

    #[test]
    fn every_problem_of_a_user_is_told_at_once() {
        let problems = user_of(&Columns::new()).unwrap_err();
        let columns: Vec<&str> = problems.iter().map(|one| one.column.as_str()).collect();
        for column in ["contract", "user_id", "name", "kana", "reissue_authority"] {
            assert!(columns.contains(&column), "{column}");
        }
    }
}
