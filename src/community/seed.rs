//! A community to try, to measure and to take pictures of: people of several languages, spaces and
//! rooms, made by `tidepool seed` on a server that nobody has set up.

use super::accounts::{self, NewAccount};
use super::setup::Setup;
use super::{Community, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};

/// Names of people in several scripts: given names, what stands between, and family names.
const NAMES: [(Language, &[&str], &str, &[&str]); 8] = [
    (
        Language::English,
        &[
            "Ada", "Bruno", "Clara", "Dario", "Elin", "Farid", "Greta", "Hugo", "Ines", "Jonas",
            "Kaya", "Liam", "Mira", "Nils", "Olga", "Pablo", "Rosa", "Sami", "Tara", "Vera",
        ],
        " ",
        &[
            "Lund",
            "Silva",
            "Novak",
            "Okafor",
            "Haddad",
            "Meier",
            "Rossi",
            "Duarte",
            "Lindqvist",
            "Moreau",
            "Tanaka",
            "Price",
            "Walsh",
            "Berg",
            "Costa",
            "Fischer",
            "Ito",
            "Kovacs",
            "Marin",
            "Quist",
            "Reyes",
            "Stone",
            "Tran",
            "Ueda",
            "Voss",
            "Yildiz",
        ],
    ),
    (
        Language::German,
        &[
            "Anke", "Birte", "Carsten", "Dörte", "Enno", "Frauke", "Heinrich", "Jürgen",
        ],
        " ",
        &[
            "Brandt",
            "Claasen",
            "Deichmann",
            "Küster",
            "Möller",
            "Petersen",
            "Schröder",
            "Ziegler",
        ],
    ),
    (
        Language::Russian,
        &["Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор"],
        " ",
        &[
            "Громова",
            "Лебедев",
            "Морозова",
            "Соколов",
            "Тихая",
            "Чайкина",
        ],
    ),
    (
        Language::Arabic,
        &["ليلى", "يوسف", "مريم", "سامر", "نورا", "كريم"],
        " ",
        &["حداد", "نصر", "خوري", "بدوي", "سالم", "منصور"],
    ),
    (
        Language::Hindi,
        &["आशा", "रवि", "मीना", "अर्जुन", "नेहा", "विजय"],
        " ",
        &["शर्मा", "वर्मा", "पटेल", "गुप्ता", "जोशी", "मेहता"],
    ),
    (
        Language::Chinese,
        &["李", "王", "陈", "张", "赵", "周"],
        "",
        &["雨桐", "明远", "海燕", "静怡", "子涵", "晓东"],
    ),
    (
        Language::Japanese,
        &["佐藤", "鈴木", "高橋", "田中", "渡辺", "山本"],
        " ",
        &["花", "蓮", "陽菜", "湊", "結衣", "大和"],
    ),
    (
        Language::Thai,
        &["ดาว", "มานะ", "ฟ้า", "สมชาย", "น้ำฝน", "ชัย"],
        " ",
        &["ใจดี", "ทองคำ", "ศรีสุข", "วงศ์ไทย", "บุญมา", "แสงทอง"],
    ),
];

/// What the people of a room write in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// And everything that is not one of the others.
    English,
    /// `deutsch`
    German,
    /// `русский`
    Russian,
    /// `العربية`, from right to left
    Arabic,
    /// `हिन्दी`
    Hindi,
    /// `中文`, without spaces
    Chinese,
    /// `日本語`, without spaces
    Japanese,
    /// `ไทย`, without spaces
    Thai,
}

/// The rooms of the first space: the name, the topic, the language that is written there, and in how
/// many conversations of a hundred.
const ROOMS: [(&str, &str, Option<Language>, u32); 14] = [
    (
        "general",
        "Everything that has no room of its own",
        None,
        24,
    ),
    (
        "harbour",
        "Who comes in, who goes out",
        Some(Language::English),
        14,
    ),
    (
        "garden",
        "What grows, and what does not",
        Some(Language::English),
        12,
    ),
    (
        "kitchen",
        "Recipes, and who cooks on Friday",
        Some(Language::English),
        8,
    ),
    (
        "books",
        "The one of this month, and the others",
        Some(Language::English),
        5,
    ),
    (
        "music",
        "Rehearsals on Tuesdays",
        Some(Language::English),
        5,
    ),
    ("help", "Ask anything", None, 6),
    ("deutsch", "Alles auf Deutsch", Some(Language::German), 6),
    ("русский", "Обо всём понемногу", Some(Language::Russian), 4),
    ("العربية", "كل شيء بالعربية", Some(Language::Arabic), 4),
    ("हिन्दी", "सब कुछ हिन्दी में", Some(Language::Hindi), 3),
    ("中文", "什么都可以聊", Some(Language::Chinese), 4),
    ("日本語", "なんでもどうぞ", Some(Language::Japanese), 3),
    ("ไทย", "คุยได้ทุกเรื่อง", Some(Language::Thai), 2),
];

/// People of the private room, and of the small space: the last ones, who are in nothing else.
const FEW: usize = 5;

/// Somebody of the community.
pub struct SeededPerson {
    /// Their account.
    pub account: AccountId,
    /// What they write in.
    pub language: Language,
}

/// A room of the community.
pub struct SeededRoom {
    /// The room.
    pub room: RoomId,
    /// What is written there; `None`: every language.
    pub language: Option<Language>,
    /// Its share of all conversations, in no certain unit.
    pub weight: u32,
    /// Who writes there: indices of [`SeededCommunity::people`].
    pub people: Vec<usize>,
}

/// What was made.
pub struct SeededCommunity {
    /// The owner first.
    pub people: Vec<SeededPerson>,
    /// The rooms of both spaces.
    pub rooms: Vec<SeededRoom>,
}

/// The name and the language of the person with a number.
fn person(number: usize) -> Option<(String, Language)> {
    // Half of them write English.
    let (of, number) = match number.is_multiple_of(2) {
        true => (0, number / 2),
        false => (
            1 + (number / 2) % (NAMES.len() - 1),
            number / 2 / (NAMES.len() - 1),
        ),
    };
    let (language, given, between, family) = NAMES.get(of)?;
    let first = given.get(number % given.len())?;
    // Shifted, so that neighbours share neither name.
    let last = family.get((number / given.len() + number) % family.len())?;
    let round = number / (given.len() * family.len());
    let name = match round {
        0 => format!("{first}{between}{last}"),
        round => format!("{first}{between}{last} {}", round + 1),
    };
    Some((name, *language))
}

impl Community {
    /// Sets the server up as somebody would who reaches it under `host`, and makes so many people
    /// with one password, who joined at `joined`.
    ///
    /// # Errors
    /// `Conflict` when the server is set up already.
    pub async fn seed(
        &self,
        people: usize,
        joined: Micros,
        password: &str,
        host: &str,
    ) -> Result<SeededCommunity> {
        let setup = Setup {
            community: "Glasshouse".to_owned(),
            owner: NewAccount {
                name: "Ann".to_owned(),
                email: "ann@example.org".to_owned(),
                password: password.to_owned(),
            },
            host: host.to_owned(),
        };
        let (owner, space) = self.set_up(setup).await?;
        let hash = self.accounts.hash_password(password).await?;
        let write = async move |tx: &mut Tx| {
            const LONG_AGO: &str = "UPDATE members SET joined_at = $1";
            let mut all = vec![SeededPerson {
                account: owner,
                language: Language::English,
            }];
            let few = people.saturating_sub(FEW);
            let small = spaces::insert(tx, "Quiet corner").await?;
            spaces::add_owner(tx, small, owner).await?;
            for number in 0..people {
                let Some((name, language)) = person(number) else {
                    break;
                };
                let new = NewAccount {
                    name,
                    email: format!("person{}@example.org", number + 1),
                    ..NewAccount::default()
                };
                let account = match accounts::insert(tx, &new, &hash).await {
                    Ok(account) => account,
                    // It looks like another name.
                    Err(Error::Invalid(_)) => continue,
                    Err(error) => return Err(error),
                };
                let of = if number < few { space } else { small };
                spaces::add_joined_member(tx, of, account, false).await?;
                all.push(SeededPerson { account, language });
            }
            tx.execute(LONG_AGO, (joined,)).await?;
            let mut seeded = Vec::new();
            let general = "SELECT id FROM rooms WHERE space_id = $1";
            let general: RoomId = tx.scalar(general, (space,)).await?;
            let many = all.len().saturating_sub(FEW).max(1);
            for (name, about, language, weight) in ROOMS {
                let room = match name {
                    "general" => general,
                    name => rooms::insert_in_space(tx, space, name, about, false).await?,
                };
                let writes = |of: &usize| language.is_none_or(|one| all[*of].language == one);
                seeded.push(SeededRoom {
                    room,
                    language,
                    weight,
                    people: (0..many).filter(writes).collect(),
                });
            }
            let council = rooms::insert_in_space(tx, space, "council", "", true).await?;
            let members: Vec<usize> = (0..many.min(FEW)).collect();
            let accounts: Vec<_> = members.iter().map(|of| all[*of].account).collect();
            rooms::add_people(tx, council, &accounts).await?;
            seeded.push(SeededRoom {
                room: council,
                language: None,
                weight: 1,
                people: members,
            });
            let reading = rooms::insert_in_space(tx, small, "reading", "", false).await?;
            seeded.push(SeededRoom {
                room: reading,
                language: None,
                weight: 1,
                people: (many..all.len()).collect(),
            });
            seeded.retain(|room| !room.people.is_empty());
            Ok(SeededCommunity {
                people: all,
                rooms: seeded,
            })
        };
        self.engine().db.write(write).await
    }
}
