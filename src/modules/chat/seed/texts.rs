//! What the people of a seeded community write: sentences put together from beginnings and ends
//! that fit each other, of the language of their author.

use super::Random;
use crate::community::Language;

/// Beginnings and ends of sentences, what stands between them, and what ends them.
struct Phrases {
    begin: &'static [&'static str],
    between: &'static str,
    end: &'static [&'static str],
    stop: &'static str,
}

const ENGLISH: Phrases = Phrases {
    begin: &[
        "I have just seen",
        "Has anybody looked at",
        "We still need somebody for",
        "Thank you for",
        "Tomorrow we talk about",
        "I keep thinking about",
        "Nobody has mentioned",
        "There is a new picture of",
        "Please do not forget",
        "Who wrote the page about",
        "I can bring",
        "Last year we lost",
        "My neighbour asked about",
        "It is too early for",
        "I was wrong about",
        "Let us postpone",
        "Does it make sense to repair",
        "The forecast says nothing of",
        "I left a note beside",
        "We could share",
        "Can somebody photograph",
        "I would rather keep",
        "The children painted",
        "On Friday we celebrate",
    ],
    between: " ",
    end: &[
        "the old pier",
        "the tomatoes behind the shed",
        "the second rehearsal",
        "the low tide at nine",
        "the bread that Clara baked",
        "the storm of last night",
        "the key of the boathouse",
        "the first ferry",
        "the seedlings by the window",
        "the long table",
        "the lantern on the roof",
        "the book of this month",
        "the broken compass",
        "the soup with fennel",
        "the letter from the council",
        "the rope near the crane",
        "the new members",
        "the heron in the reeds",
        "the bicycle with the basket",
        "the timetable for winter",
        "the choir",
        "the map of the estuary",
        "the apples from the north wall",
        "the minutes of Tuesday",
        "the leak under the sink",
        "the barometer",
        "the lighthouse keeper",
        "the greenhouse door",
    ],
    stop: ".",
};

const GERMAN: Phrases = Phrases {
    begin: &[
        "Ich habe gerade gesehen:",
        "Morgen reden wir über",
        "Wer kümmert sich um",
        "Danke für",
        "Wir brauchen noch jemanden für",
        "Bitte denkt an",
        "Es gibt ein neues Bild, nämlich",
        "Niemand erwähnt",
        "Am Freitag feiern wir",
    ],
    between: " ",
    end: &[
        "die alte Brücke",
        "die Ebbe um neun",
        "die Suppe mit Fenchel",
        "die Schlüssel vom Bootshaus",
        "die erste Fähre",
        "die Setzlinge am Fenster",
        "die Übergabe der Gärten",
        "die Leuchtturmwärterin",
        "die Probe am Dienstag",
        "die größte Tomate",
        "die Straße zum Hafen",
    ],
    stop: ".",
};

const RUSSIAN: Phrases = Phrases {
    begin: &[
        "Кто видел",
        "Завтра обсудим",
        "Не забудьте про",
        "Нам нужен человек на",
        "Спасибо за",
        "Все ждут",
        "Я сфотографировал",
    ],
    between: " ",
    end: &[
        "старый причал",
        "первый паром",
        "новый маяк",
        "суп с укропом",
        "осенний отлив",
        "ключ от сарая",
        "длинный стол",
        "утренний туман",
    ],
    stop: ".",
};

const ARABIC: Phrases = Phrases {
    begin: &[
        "رأيت اليوم",
        "غداً نتحدث عن",
        "شكراً على",
        "من يهتم بـ",
        "لا تنسوا",
        "أفكر كثيراً في",
        "نحتاج إلى من يرسم",
    ],
    between: " ",
    end: &[
        "الميناء القديم",
        "السفينة البيضاء",
        "حديقة الياسمين",
        "كتاب هذا الشهر",
        "خبز الصباح",
        "المنارة الجديدة",
        "المدّ عند الفجر",
        "مفتاح البيت",
    ],
    stop: ".",
};

const HINDI: Phrases = Phrases {
    begin: &[
        "मैंने आज देखा",
        "कल हम बात करेंगे:",
        "कृपया मत भूलिए",
        "किसके पास है",
        "धन्यवाद,",
        "सबको पसंद आया",
    ],
    between: " ",
    end: &[
        "पुराना घाट",
        "बगीचे का दरवाज़ा",
        "सुबह की चाय",
        "नई किताब",
        "समुद्र का किनारा",
        "शुक्रवार का खाना",
        "बारिश का पानी",
    ],
    stop: "।",
};

const CHINESE: Phrases = Phrases {
    begin: &[
        "我刚刚看到",
        "明天我们讨论",
        "谢谢你的",
        "谁负责",
        "请不要忘记",
        "大家都喜欢",
        "我想修理",
        "今天没有人提到",
    ],
    between: "",
    end: &[
        "旧码头",
        "花园里的番茄",
        "第一班渡轮",
        "这个月的书",
        "早晨的大雾",
        "灯塔的钥匙",
        "星期五的晚饭",
        "北墙的苹果",
        "退潮的时间",
    ],
    stop: "。",
};

const JAPANESE: Phrases = Phrases {
    begin: &[
        "今日見たのは",
        "明日話すのは",
        "忘れないでほしいのは",
        "写真を撮りたいのは",
        "気になるのは",
        "みんなが好きなのは",
    ],
    between: "、",
    end: &[
        "古い桟橋です",
        "庭のトマトです",
        "今月の本です",
        "朝の引き潮です",
        "灯台の鍵です",
        "金曜日の夕食です",
        "最初のフェリーです",
    ],
    stop: "。",
};

const THAI: Phrases = Phrases {
    begin: &[
        "วันนี้ฉันเห็น",
        "พรุ่งนี้เราจะคุยเรื่อง",
        "ขอบคุณสำหรับ",
        "ใครดูแล",
        "อย่าลืม",
        "ทุกคนชอบ",
    ],
    between: "",
    end: &[
        "ท่าเรือเก่า",
        "มะเขือเทศในสวน",
        "หนังสือเดือนนี้",
        "หมอกตอนเช้า",
        "กุญแจบ้านริมน้ำ",
        "อาหารเย็นวันศุกร์",
    ],
    stop: "",
};

const EMOJI: [&str; 10] = ["🌊", "🙂", "🍅", "📚", "⛵", "🎶", "👍🏽", "🦀", "❄️", "🏴‍☠️"];
/// What people react with.
pub(super) const REACTIONS: [&str; 6] = ["👍", "❤️", "😂", "🌊", "🎉", "👀"];

fn phrases(language: Language) -> &'static Phrases {
    match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
        Language::Russian => &RUSSIAN,
        Language::Arabic => &ARABIC,
        Language::Hindi => &HINDI,
        Language::Chinese => &CHINESE,
        Language::Japanese => &JAPANESE,
        Language::Thai => &THAI,
    }
}

/// One sentence.
fn sentence(language: Language, random: &mut Random) -> String {
    let Phrases {
        begin,
        between,
        end,
        stop,
    } = phrases(language);
    let (begin, end) = (random.rather_early(begin), random.rather_early(end));
    format!("{begin}{between}{end}{stop}")
}

/// A message: one to three sentences, here and there with an emoji, a link, emphasis, a list, or
/// the number of a berth, which hardly any other message has.
pub(super) fn message(language: Language, random: &mut Random) -> String {
    let mut text = sentence(language, random);
    while random.one_in(3) && text.len() < 300 {
        text.push(' ');
        text.push_str(&sentence(language, random));
    }
    if random.one_in(25) {
        text.push_str(&format!(
            " **{}**",
            random.rather_early(phrases(language).end)
        ));
    }
    if random.one_in(40) {
        text.push_str(&format!(" (K{})", 10_000 + random.below(90_000)));
    }
    if random.one_in(50) {
        text.push_str(&format!(" https://example.org/{}", random.below(5_000)));
    }
    if random.one_in(9) {
        text.push(' ');
        text.push_str(random.rather_early(&EMOJI));
    }
    if random.one_in(120) {
        let items = (0..3).map(|_| format!("\n- {}", random.rather_early(phrases(language).end)));
        text.extend(items);
    }
    text
}
