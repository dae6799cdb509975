### Tidepool's own words, in English. Every other language is a translation of this file.
###
### One message per line where it fits. A message that takes arguments names them in a comment.
### Messages are plain text: no HTML, the page escapes them.
### { "{n}" } stands for a number that the page fills in by itself.

## The application

app-name = Tidepool
app-about = Rooms and conversations of a community, live, on a server of its own.
skip-link = Skip to the content
connection-lost = Connection lost, trying again
new-version = There is a new version of this page.
you = You
optional = optional

## Actions, as written on buttons

action-bookmark = Keep for later
action-cancel = Cancel
action-close = Close
action-copy = Copy
action-copy-link = Copy link
action-delete = Delete
action-discard = Discard
action-edit = Edit
action-home = Go home
action-keep = Keep it
action-menu = More
action-pin = Pin to the room
action-react = React
action-reload = Reload
action-remove = Remove
action-reply = Reply
action-save = Save
action-send = Send
action-try-again = Try again
action-unbookmark = Do not keep any longer
action-unpin = Take off the pinned ones

## The frame: spaces, rooms and the way between them

spaces-label = Spaces
rooms-heading = Rooms
direct-heading = Direct
section-empty = Nothing here yet.
room-private = private
unread = unread
back = Back
back-to-rooms = Back to rooms
home-title = Choose a room
home-text = Rooms and direct conversations are at the side.

## Going anywhere, and the keys

goto-title = Go anywhere
goto-label = Go to
goto-placeholder = Room, person or space
goto-none = Nothing has that name. Try fewer letters.
goto-button = Find
keys-title = Keys
keys-anywhere = Anywhere
keys-goto = Go to a room or person
keys-next-room = Previous or next room
keys-next-unread = Previous or next unread room
keys-this-list = This list
keys-writing = Writing
keys-send = Send
keys-new-line = New line
keys-format = Bold, italic, code
keys-link = Make the selection a link
keys-complete = Complete a name, an emoji, a room
keys-edit-last = Edit your last message
keys-leave = Leave without saving
key-alt = Alt
key-ctrl = Ctrl
key-enter = Enter
key-esc = Esc
key-shift = Shift

## Messages

# $room: the room's name, or the people of a direct conversation.
messages-in = Messages in { $room }
# $room: the room's name, or the people of a direct conversation.
write-to = Write to { $room }
compose-hint = Enter sends, Shift+Enter breaks the line
compose-hint-break = Ctrl+Enter sends, Enter breaks the line
compose-count = { "{n}" } of { "{max}" } characters
compose-paste-long = That is a long text.
compose-paste-file = Send it as a file
compose-paste-keep = Keep it here
compose-pasted = pasted text
thousands = ,
enter-breaks = Enter breaks the line, Ctrl+Enter sends
enter-breaks-hint = For this browser only.
completions = Suggestions
completions-open = Suggestions: arrow keys choose, Enter takes one
emoji-pick = Emoji
emoji-search = Search emoji
emoji-recent = Used lately
emoji-space = Of this space
emoji-none = There is no such emoji.
emoji-tone = Skin tone
emoji-tones = yellow, light, medium-light, medium, medium-dark, dark
emoji-groups = Smileys, People, Animals and nature, Food and drink, Travel and places, Activities, Objects, Symbols, Flags
format-label = Format
format-bold = Bold
format-italic = Italic
format-code = Code
format-list = List
format-quote = Quote
format-link = Link
new-line = New
new-below = { "{n}" } new
newest-below = Newest
# The page fills in names of people.
receipt-read = Read
receipt-read-by = Read by
typing-one = { "{name}" } is typing
typing-two = { "{name}" } and { "{other}" } are typing
typing-many = Several people are typing
# $name, $second, $third: who joined the space first; $others: how many besides the first two.
joined-one = { $name } joined
joined-two = { $name } and { $second } joined
joined-three = { $name }, { $second } and { $third } joined
joined-many = { $others ->
    [one] { $name }, { $second } and { $others } other joined
   *[other] { $name }, { $second } and { $others } others joined
}
load-older = Load older messages
load-newer = Load newer messages
day-today = Today
day-yesterday = Yesterday
# A time where people count the hours to twelve, and the names of its halves of the day.
time-of-12 = { "{hour}" }:{ "{minute}" } { "{period}" }
time-am = AM
time-pm = PM
# A time in a list or after a word, as in "Last seen yesterday, 14:05".
today-at = today, { "{time}" }
yesterday-at = yesterday, { "{time}" }
# A date in a list; a day of this year, and of another. The page fills in {weekday}, {day}, {month} and {year} from the lists below.
date = { "{day}" } { "{month}" } { "{year}" }
day-name = { "{weekday}" }, { "{day}" } { "{month}" }
day-name-year = { "{weekday}" }, { "{day}" } { "{month}" } { "{year}" }
# Seven and twelve names as they stand in a date, each after a comma and a space.
weekdays = Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday
months = January, February, March, April, May, June, July, August, September, October, November, December
room-empty = Nothing has been said here yet
room-empty-text = Say hello, or what this room is for. Whatever you write first stands at the top, and who joins later reads it, too.
room-read-only-notice = This room is read-only for now. You can read it, but not write in it.
room-announcement-notice = Only moderators write here. You can read it.
room-no-writing-notice = You can read this room, but not write in it.
room-archived-notice = This room is archived. You can read it, but nobody writes in it.
link-copied = Link copied
copy-by-hand = Press Ctrl+C to copy
message-label = Message
message-edited = edited
message-pinned = pinned
message-menu-title = What to do with the message
preview-dismiss = Take this preview off
previews-dismiss = Take link previews off
previews-dismissed = The link previews are taken off.

## Reading

read-all = Mark everything as read
read-all-space = Mark this space as read
read-all-done = Everything is marked as read.

## Commands

command-shrug = Ends your message with ¯\_(ツ)_/¯
command-shrug-usage = [text]
command-me = Says what you do, in italics
command-me-usage = text
command-spoiler = Covers the text until a reader uncovers it
command-spoiler-usage = text
command-poll = Asks everybody to choose
command-poll-usage = question | answer | answer …
command-topic = Changes the room’s topic line
command-topic-usage = [topic]
command-remind = Reminds you later
command-remind-usage = 20m | 18:30 | 2026-12-01 9:00, then text
error-no-command = There is no such command. Write / to see those there are, or begin with // to post the text as it is.
error-command-empty = Write a text after the command.
error-command-files = This command takes no files. Post them first.
# $topic: the new topic of a room.
topic-set = The topic is now: { $topic }
topic-removed = The room has no topic any more.

## Reminders

action-remind = Remind me
reminders-title = Reminders
reminders-none = You have no reminders. Write /remind 20m and what of, or choose Remind me in the menu of a message.
reminder-new = New reminder
reminder-text = What of
reminder-note = Note to yourself (may be empty)
reminder-when = When
reminder-at = Or at another time
# $now: a date and time; $zone: the name of a time zone.
reminder-zone = By the clock of this browser, or else that of { $zone }, where it is { $now }.
reminder-20m = in 20 minutes
reminder-1h = in an hour
reminder-3h = in three hours
reminder-tomorrow = tomorrow at 9:00
reminder-monday = on Monday at 9:00
reminder-message = The message
reminder-remove = Remove
# $at: a date and time.
reminder-kept = You will be reminded on { $at }.
notice-missed-call = You missed a call from { $name }
line-call-missed = { $name } called, and nobody answered
line-call-ended = { $name } called: { $text }
line-terminal-ended = { $name } shared a terminal: { $text }
notice-reminder = A reminder
notice-terminal-ended = A program in a terminal has ended
error-reminder-empty = Write what you want to be reminded of.
error-reminder-long = A reminder has at most { $limit } characters.
error-reminder-time = Choose a time that is to come, within five years.
error-reminder-usage = Write when and what of: /remind 20m Tea is ready. A time may be 1h30m, 18:30, or 2026-12-01 9:00.
error-reminders-full = You have 200 reminders. Remove some first.

## Messages for later, and elsewhere

scheduled-title = Scheduled messages
scheduled-none = Nothing is scheduled. Write a message for later with the clock beside the field where you write.
scheduled-failed = It was not posted.
scheduled-send = Post now
scheduled-change = Change
scheduled-remove = Remove
schedule-title = Message for later
schedule-at = Post it at
schedule-files = Files
schedule-without = Without
action-schedule = Schedule
notice-scheduled-failed = A scheduled message was not posted
error-schedule-time = Choose a time that is to come, within a year.
error-schedule-gone = This message was posted or removed meanwhile.
error-schedule-full = You have 50 scheduled messages. Remove some first.
action-forward = Forward
forward-title = Forward a message
forward-find = Find a room or conversation
forward-search = Search
forward-none = There is no such room in which you may write.
# $room: a room's name.
forward-to = Forward to { $room }
forward-done = Forwarded.
# Before a name.
forwarded-from = Forwarded from
forwarded = Forwarded
error-forward-held = Moderators look at messages like this one before they are posted. Write it in your own words.
error-forward-poll = A poll cannot be forwarded. Copy its link instead.
error-file-waiting = A picture of this message is not ready yet. Try again in a moment.

## Polls

poll-title = New poll
poll-question = Question
poll-answers = Answers
# $number: the place of the answer, from 1 on.
poll-answer = Answer { $number }
poll-more = More answers
poll-multiple = One may choose several
poll-duration = It is open
poll-open = until it is ended
poll-hour = for an hour
poll-day = for a day
poll-days = for three days
poll-week = for a week
poll-open-votes = Everybody sees who chose what.
poll-post = Post the poll
poll-one = Choose one
poll-several = Choose one or more
poll-ended = The poll has ended
# Before a date and time.
poll-until = open until
poll-own = your choice
poll-voters = { $count ->
    [0] Nobody has chosen yet
    [one] One person has chosen
   *[other] { $count } people have chosen
  }
poll-votes = { $count ->
    [0] Nobody
    [one] One person
   *[other] { $count } people
  }
poll-end = End the poll
votes-title = Who chose what
error-poll-few = Give at least two answers.
error-poll-many = Give at most { $limit } answers.
error-poll-repeated = Two of the answers are the same.
error-poll-long = An answer has at most { $limit } characters.
error-poll-ended = The poll has ended.
error-poll-usage = Write a question and at least two answers: /poll Tea or coffee? | Tea | Coffee

## Answers, reactions, and what is kept

reply-label = You reply to
reply-cancel = Do not reply
reply-gone = The message that this answers has been deleted.
reply-to-file = a file
reaction-own = yours
reaction-and-others = { $names } and { $count ->
    [one] one more
   *[other] { $count } more
  }
react-title = React
react-other = Another emoji
react-other-hint = An emoji, or its name such as :wave: or that of one of the space’s own.
reactions-title = Who reacted
reactions-none = Nobody has reacted to this message.
reactions-others = { $count ->
    [one] and one more
   *[other] and { $count } more
  }
bookmarks-title = Kept messages
bookmarks-none = You keep no messages yet
bookmarks-none-text = “Keep for later” in the menu of a message puts it here. Nobody else sees it.
bookmark-added = Kept. It is listed under Kept messages.
bookmark-removed = Not kept any longer.
pins-title = Pinned messages
pins-of = Pinned in { $room }
pins-none = Nothing is pinned here
pins-none-text = What everybody in the room should find again is pinned from the menu of a message.
pin-added = Pinned for all who read this room.
pin-removed = Not pinned any longer.
versions-title = Earlier versions
versions-hint = What this message said before it was edited, for all who read the room.
versions-now = Now
message-deleted = Message deleted
message-not-sent = Not sent.
message-too-long = { "{n}" } of { "{max}" } characters. Shorten it, send it in parts, or send it as a file.
message-edit-title = Edit message
message-edit-label = Edit your message
message-edit-hint = Markdown works. Others will see that it was edited.
message-edit-esc = Esc leaves it as it was
message-as-it-is = As it is now
message-changed-elsewhere = It was changed elsewhere meanwhile. As it is now:
message-delete-title = Delete message
message-delete-ask = Delete this message?
message-delete-text = It is deleted for everyone and cannot be brought back. A note that it was deleted stays in its place.

## People and whether they are here

people-title = People
presence-here = here
presence-idle = idle
presence-away = away
presence-busy = do not disturb
presence-invisible = invisible
presence-automatic = automatic
presence-automatic-hint = Others see whether you are here.
presence-busy-hint = Others see it, and nothing draws your attention.
presence-invisible-hint = Others see you as away, and not that you write.
presence-ends = Until
presence-ends-never = I change it
presence-ends-8h = In 8 hours
threads-title = Threads
threads-of = Threads in { $room }
threads-of-room = Threads
threads-none = No threads yet
threads-none-text = A thread is a conversation about one message. Those that you write in, are mentioned in, or follow are listed here.
threads-none-here = Begin one with the thread button of a message: it keeps the answers together, beside the room.
thread-replies = { $count ->
    [one] { $count } reply
   *[other] { $count } replies
}
thread-back = Back to the message
thread-open = Show as a page
thread-close = Close the thread
thread-follow = Follow
thread-unfollow = Unfollow
thread-rename = Rename the thread
thread-name = Name of the thread
thread-first = Your reply
action-thread = Reply in a thread
forum-empty = No posts yet
forum-empty-text = Each post has a title and a thread of its own. Begin the first one above: a question, an idea, something worth keeping together.
forum-empty-read = Each post has a title and a thread of its own. You see them here once somebody writes one.
post-new = New post
post-title = Title
post-text = Text
post-tags = Tags
post-tags-hint = At most { $count }.
post-send = Post
post-change = Change title and tags
tags-title = Tags of the room
tags-all = All posts
tags-label = Tags, one in each line
tags-hint = At most 20 tags of at most 20 characters. Removing one takes it off the posts that have it.
error-post-title = Give the post a title.
error-post-tags = Choose at most { $limit } tags.
error-room-tags = A room has at most { $limit } tags.
error-forum-only-posts = This room takes posts with titles. Begin one, or write in the thread of another.
error-not-a-forum = Only forum rooms take posts with titles.
error-thread-in-thread = This message is in a thread already. Answer there.
error-thread-of-line = Nobody wrote this line, so it has no thread.
error-thread-name = Give the thread a name.
mentions-title = Mentions
person-card = Profile
mentions-none = Nobody has mentioned you yet
mentions-none-text = Messages that call you by @ and your name, or a role or group of yours, are listed here.
# $count: unread messages that mention the reader; 100 stands for more, too.
count-mentions = { $count ->
    [one] { $count } mention
   *[other] { $count } mentions
}
# $name: the person's name.
message-person = Write to { $name }

## The door: setting up, signing in, joining

setup-title = Set up your community
setup-text = Nobody is here yet. Name your community and make the first account; it will own this server.
setup-community = Community
setup-community-hint = The name people see when they arrive.
setup-button = Set up
sign-in-title = Sign in
sign-in-button = Sign in
sign-in-foot = New here? Ask a member for an invite link.
sign-out = Sign out
join-title = Join
# Stands after a name: Ann invites you to
join-invites-you = invites you to
# $space: the community's name.
join-button = Join { $space }
join-have-account = Already have an account?
join-sign-in = Sign in and join
join-over-title = This invite is no longer open
join-over-text = It has expired, been used up or been taken back. Ask whoever gave it to you for another.
field-name = Your name
field-email = E-mail
field-login = E-mail or name
field-password = Password
password-hint = At least 10 characters. A few words work well.
password-show = Show password
field-current-password = Current password
field-new-password = New password
field-code = Code
sign-in-forgot = Forgot your password?
back-to-sign-in = Back to sign-in

## A new password by mail, and links in mail

forgot-title = Forgot your password
forgot-text = We mail you a link with which you choose a new one.
forgot-button = Mail me a link
forgot-no-mail = This server cannot send mail, so it cannot mail you a link. Ask whoever runs it for help.
forgot-sent-title = Look into your mail
forgot-sent-text = If there is an account with this address, a link is on its way to it. It works once, for an hour. Look among unwanted mail, too.
reset-title = New password
reset-text = All devices where you are signed in are signed out.
reset-button = Set password
confirm-title = Confirm your address
confirm-text = Your account gets this e-mail address:
confirm-button = Use this address
link-over-title = This link does not work any more
link-over-text = It was used already, has expired, or is not complete. Ask for another.
done-reset = Your new password is set. Sign in with it.

## The second step of signing in

second-step-title = One more step
second-step-text = Enter the code that your authenticator app shows.
second-step-hint = Six digits. Without the app, use one of your recovery codes.

## Security of an account

account-pages = Your account
security-title = Security
password-title = Password
password-change-hint = A new password signs you out everywhere else.
password-change = Change password
name-change-hint = The name that you sign in with. What others see is in your profile.
name-change = Change name
email-change-hint = We mail a link to the new address. The change happens when you open it.
email-change-hint-no-mail = You can sign in with it. Nobody else sees it.
email-change = Change address
totp-title = Authenticator app
totp-hint = Besides your password, signing in then needs a code from an app on your phone.
totp-set-up = Set up
totp-turn-on = Turn on
totp-turn-off = Turn off
totp-is-on = Your account asks for a code at sign-in. Turn this off before you set it up anew.
# $count: how many are left.
totp-codes-left = On. { $count ->
    [0] No recovery code is left: turn it off and set it up anew to get some.
    [one] One recovery code is left.
   *[other] { $count } recovery codes are left.
}
totp-scan = 1. Add this server to your app
totp-scan-text = Scan the picture with an authenticator app, or type the key into it. On a phone, tap the picture.
totp-open-app = QR code: opens the authenticator app of this device
totp-key = Key
totp-check = 2. Enter the code that it shows
totp-code-hint = Six digits that change every 30 seconds.
codes-title = Recovery codes
codes-done = Your account asks for a code at sign-in from now on.
codes-keep = Keep these codes
codes-text = Each of them lets you in once if you lose your app. They are shown only now. Print them, or save them where only you can find them.
codes-download = Download
codes-saved = I have saved them
done-name = Your name is changed.
done-email = Your e-mail address is changed.
done-email-link = We mailed a link to the new address. Open it within a day.
done-password = Your password is changed. You are signed out everywhere else.
done-passkey = Your passkey is added. You can sign in with it from now on.
done-passkey-removed = The passkey is removed. Delete it on your device, too.
done-totp-off = Your account asks for no code at sign-in any more.
done-linked = Your account is linked. You can sign in with it from now on.
done-unlinked = Your account is not linked any more.
oidc-title = Sign-in with another service
# $name: what the service is called.
oidc-hint = Link your account to the one that you have at { $name }, and sign in with it.
# $name: what the service is called.
oidc-linked-hint = Your account is linked to one at { $name }.
oidc-link = Link
oidc-unlink = End the link
# $name: what the service is called.
oidc-begin-text = Sign in at { $name } now. You come back here after it.
# $name: what the service is called.
oidc-continue = Continue to { $name }
# $name: what the service is called.
oidc-sign-in = Sign in with { $name }
oidc-link-title = Link your account
# $name: what the service is called. $email: an address.
oidc-link-text = There is an account with the address { $email } here. Enter its password once to sign in to it with { $name } from now on.
oidc-link-button = Link and sign in
passkeys-title = Passkeys
passkeys-hint = Sign in without a password: by finger, face or PIN of your device, or a security key.
passkeys-unusable = Passkeys need a browser that has them and scripts, and a server that is reached by https. This page is missing one of these.
passkey-name = Name of the passkey
passkey-name-hint = So that you recognise it, such as the name of the device.
passkey-unnamed = Passkey
passkey-add = Add a passkey
passkey-sign-in = Sign in with a passkey
passkey-cancelled = Nothing was done: it was cancelled, took too long, or the device has the passkey already.
# Stands before a date.
passkey-remove = Remove the passkey
passkey-since = Added
# Stands before a date.
passkey-used = last used
mail-title = Mail
mail-not-configured = This server sends no mail, so nobody can reset a forgotten password. Only you see this. To change it, add these two lines to tidepool.toml with the data of your mail provider, and restart the server.
mail-password-hint = The password belongs into secrets.toml, as mail_password.

data-title = Your data
copy-title = Download a copy
copy-hint = A file with everything that this server keeps of you: profile, sessions, spaces, the list of your files, and your messages. Only you can fetch it, for a day.
copy-make = Make a copy
# Stands before a time.
copy-waiting = The copy is being made. Load this page again in a while. Asked for:
# Stands before a time.
copy-ready = Your copy is ready. Made:
copy-incomplete = There was more than a copy can hold; the oldest messages are in it.
copy-download = Download
delete-title = Delete account
delete-hint = Your name, address, picture, devices and keys are deleted at once, and you leave all spaces. This cannot be undone.
delete-messages = Your messages
delete-messages-keep = Keep them, as those of a deleted account
delete-messages-all = Delete all of them
delete-button = Delete my account for good
deleted-account = Deleted account

## Mails

mail-confirm-subject = Confirm your e-mail address
# $name: the account's name. $server: the server's host name.
mail-confirm-text = { $name } on { $server } wants to use this e-mail address. Open the link within a day to confirm it.
mail-confirm-link = Confirm the address
mail-reset-subject = A new password for your account
# $name: the account's name. $server: the server's host name.
mail-reset-text = Somebody asked for a new password for { $name } on { $server }. The link works once, for an hour.
mail-reset-link = Choose a new password
mail-ignore = If this was not you, ignore this mail: nothing changes.
mail-email-changed-subject = Your e-mail address was changed
# $name: the account's name. $server: the server's host name.
mail-email-changed-text = The account { $name } on { $server } has another e-mail address now. No more mail of it goes to this one.
mail-email-not-you = If this was not you, tell whoever runs the server at once.
mail-password-changed-subject = Your password was changed
# $name: the account's name. $server: the server's host name.
mail-password-changed-text = The password of { $name } on { $server } was changed just now, and all other devices were signed out.
mail-name-changed-subject = Your name was changed
# $name: the account's former name. $server: the server's host name.
mail-name-changed-text = The account that was called { $name } on { $server } has another name now.
mail-totp-on-subject = Your account asks for a code now
# $name: the account's name. $server: the server's host name.
mail-totp-on-text = Signing in as { $name } on { $server } needs a code of an authenticator app from now on.
mail-totp-off-subject = Your account asks for no code any more
# $name: the account's name. $server: the server's host name.
mail-totp-off-text = Signing in as { $name } on { $server } needs no code of an authenticator app any more.
mail-passkey-added-subject = A passkey was added to your account
# $name: the account's name. $server: the server's host name.
mail-passkey-added-text = { $name } on { $server } can sign in with a new passkey from now on.
mail-identity-linked-subject = Your account was linked to another service
# $name: the account's name. $server: the server's host name.
mail-identity-linked-text = { $name } on { $server } can sign in with another service from now on.
mail-identity-unlinked-subject = Your account is not linked to another service any more
# $name: the account's name. $server: the server's host name.
mail-identity-unlinked-text = { $name } on { $server } cannot sign in with another service any more.
mail-passkey-removed-subject = A passkey was removed from your account
# $name: the account's name. $server: the server's host name.
mail-passkey-removed-text = A passkey of { $name } on { $server } was removed.
mail-not-you = If this was not you, choose a new password at once.

## A space and its settings

space-settings-title = Space settings
space-new = New space
space-new-hint = A community of its own on this server. You will own it.
space-new-button = Make space
field-space-name = Name
part-about = About
joins-label = Tell who joins
joins-hint = A line in the first public room says so. Several who join within ten minutes share one.
settings-sections = Sections
settings-pages = Pages of settings
settings-picture = Picture
settings-appearance = Appearance
server-title = This server
members-title = Members
# $count: how many members a space has.
count-members = { $count ->
    [one] { $count } member
   *[other] { $count } members
}
role-owner = Owner
leave-title = Leave
leave-hint = You leave all its rooms too. To come back you need an invite.
# $space: the space's name.
leave-button = Leave { $space }
invites-title = Invites
invites-new = A new link
invites-open = Open links
invites-all = All links
invite-title = Invite
invite-pass-on = Pass this link on
invite-done = To the space
invite-qr = Show as QR code
invite-qr-label = The link as a QR code
invite-role = Role
invite-no-role = None
invite-role-hint = Who joins by the link begins with it, as long as you may give it.
invite-guest-label = For guests
invite-guest-hint = Who opens the link reads the open rooms of this space for a day, under a name and without an account. They cannot write.
invite-for-guests = For guests
invite-people = Invite people
invites-hint = Whoever has a link can join until it is used up or expires.
invites-empty = No link is open. Make one and pass it on.
invite-button = Make a link
invite-link = Invite link
invite-uses = Uses
invite-uses-any = Any number of uses
# $count: how often the link can still be used.
invite-uses-left = { $count ->
    [one] { $count } use left
   *[other] { $count } uses left
}
invite-expires = Expires
invite-one-day = In a day
invite-one-week = In a week
invite-one-month = In 30 days
invite-never = Never expires
# Stands before a date.
invite-until = Expires
invite-revoke = Take back

## Members, roles and the audit log of a space

tab-space = Space
roles-title = Roles
groups-title = Groups
groups-hint = Members of a group are mentioned together: write @ and its name. A group allows nothing.
groups-none = There are no groups yet.
group-new = New group
group-create = Create group
field-group-name = Name
group-open-label = Members join and leave by themselves
group-yours = You are in it
group-join = Join
group-leave = Leave
group-empty = Nobody is in it yet.
group-remove = Take out
group-add = Add
field-group-person = User name of a member
group-delete-title = Delete the group
group-delete-hint = Its members stay in the space.
group-delete-button = Delete group
audit-title = Audit log
members-find = Find a member
members-by-role = Members by role
members-all = Everybody
members-none = Nobody here fits.
# Stands before a date.
member-since = Member since
member-timed-out = Timed out
# Stands before a date and time.
member-timed-out-until = Timed out until
member-remove-title = Remove from the space
member-remove-hint = They lose its rooms at once, and may come back when they are invited.
member-remove-button = Remove this member
time-out-title = Time out
time-out-hint = They can only read until it ends, by itself.
time-out-length = For how long
time-out-5-minutes = 5 minutes
time-out-hour = 1 hour
time-out-6-hours = 6 hours
time-out-day = 1 day
time-out-week = 1 week
time-out-28-days = 28 days
time-out-button = Time out
time-out-end = End the time-out
sanction-reason-label = Reason, which they are told
sanction-reason = Reason:
sanction-time-out = Timed out
sanction-removal = Removed
sanction-ban = Banned
sanction-ended = Taken back
ban-title = Ban
ban-hint = They lose the space at once, and no invitation lets them back in.
ban-days-label = Days until it ends; empty: never
ban-delete-label = Delete their messages
ban-delete-none = None
ban-delete-hour = Of the last hour
ban-delete-day = Of the last day
ban-delete-week = Of the last week
ban-address-label = Ban their address, too
ban-address-hint = Nobody joins from there under another name. It may be shared by a household or school.
ban-button = Ban this member
ban-address = Address
ban-until = Until
ban-forever = Without an end
ban-lift = Lift
bans-title = Bans
bans-hint = Who is banned cannot come back until you lift the ban or it ends. Ban somebody on their page under Members.
bans-empty = Nobody is banned.
slow-title = Slow mode
slow-hint = Members wait between two messages here. Moderators do not.
slow-label = Seconds between two messages, up to 21600; 0: no wait
slow-notice = Slow mode: one message every { $seconds } seconds.
delete-last-title = Delete messages
delete-last-hint = In the rooms that you moderate. Nobody can bring them back.
delete-last-label = How many of their last messages, up to 100
delete-last-button = Delete messages
history-title = History
history-hint = Notes are for moderators only.
history-own = What moderators did, and why. Only you and they see it.
note-label = Note
note-button = Add note
closed-title = This is no longer open to you
closed-text = It was closed or made private, or you are no longer a member.
closed-removed = You are no longer a member of { $space }
closed-removed-text = A moderator removed you. You may come back when you are invited again.
closed-banned = You are banned from { $space }
closed-space-deleted = { $space } was deleted
closed-space-deleted-text = It is closed to everybody. Its owners can bring it back until
closed-room-deleted = The room { $space } was deleted
closed-room-deleted-text = It is closed to everybody. Who manages rooms can bring it back until
role-guest = Guest
role-given = Has it
role-give = Give
role-take = Take back
owner-make = Make an owner of the space
owner-unmake = No longer an owner
owner-hint = Owners may do everything in the space, and stand above all roles.
roles-hint = Who has a role may act on those below it. Roles add to what every member may do.
role-owner-hint = May do everything here.
role-yours = yours
role-drop = Drop it
role-choose = Take it on
role-up = Move up
role-down = Move down
role-everyone = Every member
role-everyone-hint = What members may do without any role.
role-new = New role
role-create = Make this role
role-apart-label = List its members under a heading of their own
role-self-chosen-label = Members may take it on themselves
role-self-chosen-hint = Only for roles that grant no more than every member may have.
role-permissions = What it may do
role-permissions-hint = You can give only what you may do yourself.
role-sees = View as this role
role-sees-hint = Of the rooms that you see: what somebody sees and may do who has this role and no other.
role-sees-not = Does not see it
role-sees-only = Reads only
role-delete-title = Delete the role
role-delete-hint = Its members stay, and keep what other roles grant.
role-delete-button = Delete this role
field-role-name = Name of the role
field-role-color = Colour
color-none = None
color-sea = Sea
color-coral = Coral
color-amber = Amber
color-sky = Sky
color-violet = Violet
color-rose = Rose
color-moss = Moss
color-slate = Slate
action-find = Find
action-more = More
audit-find = Find a name or a word
audit-kind = What was done
audit-kind-all = Everything
audit-kind-member = Members
audit-kind-role = Roles
audit-kind-everyone = Every member
audit-kind-room = Rooms
audit-kind-space = The space
audit-kind-invite = Invitations
audit-kind-message = Messages
audit-kind-report = Reports
audit-kind-rule = Rules
audit-kind-raid-mode = Raid mode
audit-empty = Nothing here yet. What owners and moderators change is written down here.
audit-allowed = Allowed
audit-denied = Denied
audit-when = When
audit-who = Who
audit-what = What
audit-change = What changed
audit-nobody = Somebody who is gone
act-room-moved = Moved a room
act-room-category-created = Made a category of rooms
act-room-category-renamed = Renamed a category of rooms
act-room-category-deleted = Deleted a category of rooms
act-room-category-moved = Moved a category of rooms
act-room-created = Made a room
act-room-changed = Changed a room
act-room-tags-changed = Changed the tags of a room
act-room-archived = Archived a room
act-room-restored = Brought back a room
act-room-deleted = Deleted a room
act-room-undeleted = Brought back a deleted room
act-space-deleted = Deleted the space
act-space-restored = Brought back the deleted space
act-space-erased = Erased the space
act-space-web-changed = Changed what the whole web can read
act-room-permissions-changed = Changed who may do what in a room
act-role-created = Made the role
act-role-changed = Changed the role
act-role-deleted = Deleted the role
act-role-moved = Moved the role
act-group-created = Made the group
act-group-changed = Changed the group
act-group-deleted = Deleted the group
act-member-group-given = Put into a group
act-member-group-taken = Took out of a group
act-everyone-changed = Changed what every member may do
act-member-role-given = Gave a role to
act-member-role-taken = Took a role from
act-member-made-owner = Made an owner of
act-member-unmade-owner = Made a member again of
act-member-removed = Removed
act-member-timed-out = Timed out
act-member-time-out-ended = Ended the time-out of
act-member-banned = Banned
act-member-unbanned = Lifted the ban of
act-message-deleted = Deleted a message of
act-message-deleted-many = Deleted messages
act-message-preview-dismissed = Took link previews off a message of
act-room-slowed = Changed the slow mode of
permission-community-read = See the space, its rooms and what is in them
permission-community-manage-rooms = Make, change, archive and delete rooms, and say who may do what in them
permission-community-manage-space = Change the space's name, picture, emoji and settings
permission-community-manage-roles = Make and change roles below their own, and give them and take them back
permission-community-invite = Invite people and take invitations back
permission-community-kick = Remove members, who may come back when they are invited
permission-community-ban = Ban people and addresses, and lift bans
permission-community-time-out = Have members only read for a while
permission-community-view-audit = Read the audit log
permission-chat-post = Write messages
permission-chat-attach = Send files
permission-chat-thread = Begin threads on messages
permission-chat-mention-everyone = Mention roles, groups, @here and @room
permission-chat-moderate = Delete what others wrote
permission-chat-react = React to messages
permission-chat-pin = Pin messages

## Questions before what cannot be undone

# $name: a person, a space, a room, an emoji or a device.
ask-remove-member = Remove { $name } from this space?
ask-remove-member-text = Their messages stay. To come back they need an invite.
ask-remove-member-yes = Remove
ask-leave-space = Leave { $name }?
ask-leave-space-text = You leave all its rooms too. To come back you need an invite.
ask-leave-space-yes = Leave
ask-archive-room = Archive { $name }?
ask-archive-room-text = An archived room can be read, but nobody writes in it. You can bring it back.
ask-archive-room-yes = Archive
ask-revoke-invite = Take back this invite?
ask-revoke-invite-text = Its link stops working for everyone who has it.
ask-revoke-invite-yes = Take back
ask-remove-emoji = Remove :{ $name }:?
ask-remove-emoji-text = Messages show its name instead.
ask-remove-emoji-yes = Remove
ask-remove-picture = Remove this picture?
ask-remove-picture-text = Initials are shown instead.
ask-remove-picture-yes = Remove
ask-end-session = End the session on { $name }?
ask-end-session-text = Whoever is there has to sign in again.
ask-end-session-yes = End
ask-end-other-sessions = End all other sessions?
ask-end-other-sessions-text = Whoever is there has to sign in again.
ask-end-other-sessions-yes = End all others
ask-cancel-job = Cancel this job?
ask-cancel-job-text = It is not tried again and cannot be brought back.
ask-cancel-job-yes = Cancel the job
ask-discard-job = Discard this?
ask-discard-job-text = It is not tried again and cannot be brought back.
ask-discard-job-yes = Discard
ask-unmake-owner = Make { $name } a member again?
ask-unmake-owner-text = They lose what owners may do, at once.
ask-unmake-owner-yes = Make a member again
ask-ban-member = Ban { $name }?
ask-ban-member-text = They lose the space at once, and cannot come back until the ban ends or is lifted.
ask-ban-member-yes = Ban
ask-delete-category = Delete the category { $name }?
ask-delete-category-text = Its rooms stay, and stand with those that have none.
ask-delete-category-yes = Delete the category
ask-delete-group = Delete the group { $name }?
ask-delete-group-text = Nobody can mention it any more. Its members stay in the space.
ask-delete-group-yes = Delete the group
ask-delete-role = Delete the role { $name }?
ask-delete-role-text = Its members stay, and keep what other roles grant.
ask-delete-role-yes = Delete the role
ask-delete-space = Delete { $name }?
ask-delete-space-text = It closes at once for everybody. For 7 days its owners can bring it back; then its rooms, messages and files are erased for good.
ask-delete-space-yes = Delete the space
ask-delete-room = Delete the room { $name }?
ask-delete-room-text = It closes at once for everybody. For 7 days it can be brought back; then its messages and files are erased for good.
ask-delete-room-yes = Delete the room
ask-leave-room = Leave { $name }?
ask-leave-room-text = You stop reading this room. To come back, somebody in it who manages rooms has to add you.
ask-leave-room-yes = Leave
ask-leave-room-last = Leave { $name }, and delete it?
ask-leave-room-last-text = Nobody else reads this room. It is deleted with you, and its messages and files are erased after 7 days.
ask-leave-room-last-yes = Leave and delete
ask-set-web = Change what the whole web can read?
ask-set-web-text = Everything written in the rooms you chose, also long ago, can be read and copied by anybody. What was copied cannot be taken back.
ask-set-web-yes = Change it

## A room and its settings

room-new-title = New room
room-settings-title = Room settings
room-create = Create room
field-room-name = Name
room-name-hint = Short and plain, such as garden-plans.
field-topic = Topic
room-private-label = Private room
room-private-hint = Only its members find it and read it.
room-members = Members
room-members-hint = They matter when the room is private. You are always one of them.
room-members-empty = Nobody else is in this space yet.
room-roles = Roles
room-roles-hint = They matter when the room is private. Who has one of these roles reads the room, too.
room-kind = Kind of room
room-kind-text = Conversation: everybody writes
room-kind-voice = Voice: people talk, and write beside that
room-kind-announcement = Announcements: only moderators write
room-kind-forum = Forum: posts with titles, each with a thread
room-kind-forum-hint = A forum stays one, other rooms do not become one, and it is not shown on the web.
error-room-kind-fixed = A forum stays a forum, and other rooms do not become one.
room-read-only-label = Read-only
room-read-only-hint = Nobody writes in it for now, except who manages rooms.
room-permissions-title = Permissions in this room
room-permissions-hint = What this room allows and denies, whatever the space says. You can set what you hold yourself, for roles and people below you.
room-permissions-open = Open permissions
room-permissions-whose = Whose permissions
room-permissions-own = set here
room-permissions-find = Find a person to set permissions for
rule-allow = Allow
rule-space = As the space says
rule-deny = Deny
rooms-order-hint = This is the order in which everybody sees the rooms. A category is a heading that each member can fold.
category-new = New category
category-name = Name of the category
category-create = Create category
category-rename = Rename
category-delete = Delete category
category-label = Category of
category-move = Move there
category-none = No category
category-empty = No rooms here yet.
filter-people = Filter by name
archive-title = Archive
archive-hint = An archived room can be read, but nobody writes in it. You can bring it back.
archive-button = Archive this room
archived-title = Archived rooms
room-restore = Bring back
room-delete-title = Delete
room-delete-hint = The room closes at once for everybody. It can be brought back for 7 days, then everything in it is erased.
room-delete-button = Delete room
deleted-rooms-title = Deleted rooms
deleted-rooms-hint = They are closed to everybody, and erased when their time is over.
deleted-until = Can be brought back until
space-delete-title = Delete this space
space-delete-hint = The space closes at once for everybody. Its owners can bring it back for 7 days, then everything in it is erased.
space-delete-button = Delete space
space-restore = Bring the space back
spaces-title = Spaces
spaces-order-title = Their order
spaces-order-hint = This is the order in which you see your spaces. It is yours alone.
spaces-none = You are in no space. Open an invite to join one.
deleted-spaces-title = Deleted spaces
deleted-spaces-hint = They are closed to everybody. As an owner you can bring them back.
sort-moved = was moved
readers-title = Who reads this room
readers-count = { $count ->
    [one] One person reads this room.
   *[other] { $count } people read this room.
}
readers-web = So does anybody on the web.
readers-all = Show all
leave-room-hint = You stop reading this room. To come back, somebody in it who manages rooms has to add you.
leave-room-last-hint = Nobody else reads this room. When you leave, it is deleted.
web-title = Web
web-hint = Rooms of this space can be read on the web by anybody, without an account. They read only, and are not shown who wrote.
web-warning = What is readable for the whole web can be copied, and stays where it was copied to. Tell your members first.
web-open = Open the page that anybody can read
web-on-label = Readable for the whole web
web-on-hint = The rooms you choose below, and nothing else.
web-indexed-label = Search engines may list it
web-indexed-hint = Otherwise they are asked not to.
web-rooms = Rooms
web-rooms-hint = Only rooms that every member reads can be chosen.
web-mark = On the web
web-mark-hint = This room is readable for the whole web
web-read-only = You can read here without an account. Names are not shown.
web-footer = This is part of a community. Members take part after signing in.
web-none = Nothing can be read here for now.
web-empty = Nothing has been said here yet.
web-older = Older messages
web-newest = Newest messages
web-author = Member { $number }
web-space-about = Rooms of { $space } that anybody can read.
web-room-about = The room { $room } of { $space }.
error-room-not-joined = You can only leave a private room that you were added to.
error-room-not-for-web = Only rooms that every member of the space reads can be chosen.

## Direct conversations

direct-new-title = New conversation
direct-with = Who with
direct-hint = One person or several. Only they see what is written.
direct-button = Start
direct-empty = Nobody to write to yet
direct-empty-text = You can write to everyone who shares a space with you. Join a space with an invite link, or invite someone to yours.

## Your account

account-title = Settings
account-you = Profile
account-name = Name
account-leave = Sign out of this device
field-language = Language
language-browser = As the browser is set
field-clock = Times
clock-language = As usual in your language
clock-12 = 2:05 PM
clock-24 = 14:05
field-theme = Colours
theme-device = As the device has them
theme-light = Light
theme-dark = Dark
sessions-title = Sessions
sessions-hint = Where you are signed in. End any session that you do not recognise.
sessions-end-others = End all others
session-this = This device
# $browser and $system: as in "Firefox on Linux".
session-device = { $browser } on { $system }
session-unknown = Unknown device
# Stands before a network address: 3 minutes ago, from 203.0.113.7
session-from = from
ago-now = Just now
# $count: how many minutes, 5 or more.
ago-minutes = { $count } minutes ago
# $count: how many hours.
ago-hours = { $count ->
    [one] An hour ago
   *[other] { $count } hours ago
}
# $count: how many days.
ago-days = { $count ->
    [one] A day ago
   *[other] { $count } days ago
}
# Stands before a date.
session-since = signed in
session-end = End

## Dead letters: work that failed for good

jobs-title = Jobs
jobs-hint = Work that the server does in the background, such as preparing pictures. It continues after a restart.
jobs-kinds = Kinds of work
jobs-kind = Kind
jobs-waiting = Waiting
jobs-oldest = Oldest since
jobs-later = Scheduled
jobs-running = Running
jobs-failed = Failed
jobs-done = Done in the last minute
jobs-paused = Paused
jobs-pause = Pause
jobs-resume = Continue
jobs-none-running = No job is running at the moment.
jobs-since = Since
jobs-attempt = Attempt
jobs-progress = Progress
jobs-cancel = Cancel
jobs-gone-wrong = Failed jobs
jobs-about = Details
jobs-next = Next attempt
jobs-never = None
error-job-replaced = Another job has taken its place and was already under way.
dead-letters-title = Dead letters
dead-letters-hint = Work that failed every time it was tried. Fix what the error says, then try again.
dead-letters-empty = Nothing has failed
dead-letters-empty-text = Work that failed every time it was tried is kept here with its error, until you try it again or discard it.
letter-topic = Topic
letter-handler = Handler
letter-key = Key
letter-error = Error
letter-at = When
letter-do = Do

## Errors: what happened and what to do. Where there is a limit it is $limit.

error-heading-forbidden = You cannot open this
error-heading-internal = Something went wrong on the server
error-heading-invalid = That did not work
error-heading-not-found = There is nothing at this address
error-heading-sign-in = Sign in first
error-heading-wrong-host = This server has another name
error-heading-too-many = Too much at once
error-request = Request
error-not-found = It may have been deleted, or you may not be a member. Check the address, or start from the rooms you know.
error-sign-in-first = You are not signed in. Sign in, then try again.
error-unavailable = The server is busy or restarting. Try again in a moment.
error-internal = This is not your fault, and the error was logged. Try again in a moment.
# $hours: how long to wait.
error-too-many-hours = { $hours ->
    [one] That is more than is allowed in a day. Try again in { $hours } hour.
   *[other] That is more than is allowed in a day. Try again in { $hours } hours.
}
# $seconds: how long to wait.
error-too-many = { $seconds ->
    [one] That was too fast. Try again in { $seconds } second.
   *[other] That was too fast. Try again in { $seconds } seconds.
}
error-other-site = This request came from another site, so it was not carried out. Open the page here and try again.
error-wrong-host = The server does not answer to this host name. Use the name it was set up under. Whoever runs it can allow this one, too: add it to hosts in tidepool.toml, or to TIDEPOOL_HOSTS, and restart the server.
error-role-above = This role or member stands as high as you do, or higher. Ask somebody above them.
error-role-grants = You can give or take only what you may do yourself.
error-role-name-taken = There is a role of this name.
error-role-self-chosen = A role that members take on themselves may grant only what every member may have.
error-group-name-taken = This name is taken by another group, by a role, or stands for everyone.
error-group-full = There are 1,000 people in this group, and no space for more.
error-groups-full = There are 100 groups, and no space for more. Delete one first.
error-group-person = Nobody in this space has this user name.
error-roles-full = There are 100 roles, and no space for more. Delete one first.
error-owners-only = Only an owner may do this. Ask one of them.
error-guest-role = Guests have no roles.
error-not-permitted = You may not do this here. Ask an owner or a moderator.
error-host-only = Only the host of this server may do this.
error-guest = Guests read only. Create an account to take part.
error-rules-first = Accept the rules of this space first.
error-banned = You are banned from this space. Its moderators can lift the ban.
error-network-banned = Nobody can join this space from your address: somebody there was banned. Ask its moderators.
error-time-out-minutes = Choose at most 28 days.
error-ban-days = Choose at most 3,650 days, or leave it empty.
error-slow-seconds = Choose at most 21600 seconds, which are six hours.
error-delete-last = Choose a number from 1 to 100.
error-note-empty = Write a note.
error-notes-full = There are a hundred notes about this member, the most there can be.
error-timed-out = A moderator has timed you out: for now you can only read. Your page under Members says why, and until when.
error-room-read-only = This room is read-only for now.
error-metrics-token = The token for the metrics is missing or wrong. It stands in the server's settings.
error-method = This address cannot be used like that. Go back and try again.
error-message-shape = The server did not understand this. Reload the page and try again.
error-text = This text has a character that cannot be stored. Remove it and try again.
error-number = This is not a number. Write it in digits.
error-language = This language is not available. Choose one from the list.

error-name-missing = A name is missing. Write one with at least one visible character.
error-name-at = A name cannot contain @.
error-name-taken = Somebody here has this name already. Choose another.
error-name-looks-alike = This looks like the name of somebody here, with other letters. Choose another.
# $limit: how many characters fit.
error-too-long = This is too long. Shorten it to { $limit } characters.
# $limit: how many marks fit on one character.
error-marks = This has characters with more than { $limit } accents or marks. Take some away.
error-email = This is not a complete e-mail address. It looks like name@place.example.
error-email-taken = There is an account with this address already. Sign in with it, or use another.
# $limit: how many characters are needed.
error-password-short = This password is too short. Use at least { $limit } characters.
error-password-common = This password is easy to guess: it is made of common words, keys in a row, repetitions, or of your name, address or community. A few words that have nothing to do with each other work well.
error-password-wrong = This is not your password. Try again.
error-code-wrong = This code is not right, or was used already. Wait for the next one and try again.
error-second-step-over = This took too long. Sign in again.
error-totp-on = Your account asks for a code already.
error-oidc-late = This took too long, or was begun in another window. Sign in again.
error-oidc-unreachable = The other service does not answer. Sign in with your password, or try again later.
error-oidc-refused = The other service did not sign you in. Try again, or sign in with your password.
error-oidc-failed = What the other service answered could not be verified. Try again, or tell the people who run this server.
error-oidc-unknown = Nobody here is linked to this account of the other service. Sign in with your password and link it in the security settings of your account, or ask for an invitation.
error-oidc-taken = This account of the other service is linked to somebody else here. Use another one.
error-oidc-linked = Your account is linked to another account of that service. End that link first.
error-passkey = This passkey does not fit. Try another one, or sign in with your password.
error-passkey-late = This took too long. Try again.
error-passkeys-full = You have as many passkeys as an account can have. Remove one first.
error-host-stays = You run this server, so your account cannot be deleted.
error-owner-hands-over = You are the only owner of a space. Hand it over to somebody first.
error-no-mail = This server cannot send mail. Ask whoever runs it for help.
error-sign-in = The name or password is not right. Check both and try again.
error-setup-closed = This server has been set up already. Sign in instead.

error-setup-token = A new server is set up through the link that it printed when it started. Look for it in the terminal or the log of the server, and open that.

error-invite-over = This invite has expired, been used up or been taken back. Ask for another.
error-invites-full = This space has as many open invites as it can have. Take some back first.
# $limit: the largest number.
error-invite-uses = An invite can be used between 1 and { $limit } times. Choose a number in between.
# $limit: the largest number of days.
error-invite-time = An invite lasts between 1 and { $limit } days. Choose a number in between.
error-owner-stays = A space needs an owner, so the owner cannot leave or be removed.
error-room-name-taken = A room of this space has this name already. Choose another.
error-room-archived = This room is archived, so nobody writes in it. Ask an owner to bring it back.
error-nobody-chosen = Nobody is chosen. Choose at least one person.
# $limit: how many people fit.
error-too-many-people = A conversation has room for { $limit } people. Choose fewer, or make a room.

error-message-empty = There is nothing to send yet. Write something first.
# $limit: how many characters fit.
error-message-large = A message has room for { $limit } KB of text. Shorten it, or send it in parts.
error-message-long = A message has room for { $limit } characters. Shorten it, or send it in parts.
error-not-reached = The server did not answer. Try again in a moment.
error-reply-gone = The message that you answer is not in this room any more. Your text is kept: send it without the answer.
error-no-emoji = This is no emoji that can be used here.
error-reactions-full = This message has as many different reactions as it can have. Choose one that is there.
error-pins-full = This room has 100 pinned messages. Take one off first.
error-bookmarks-full = You keep 1,000 messages. Remove one first.
error-message-deleted = This message has been deleted.
error-message-changed = This message was changed elsewhere while you edited it. Saving again replaces what it says now.
error-not-your-message = Only its author can edit a message.

error-disk-full = The server's disk is full. Nothing was lost. Tell whoever runs the server, and try again later.
error-account-full = Your files would take more room than you have here. Delete some and try again.
error-space-full = The files of this space would take more room than it has. Delete some and try again.
error-file-large = This file is too large. A file can have { $limit } at most.
error-file-empty = This file is empty. Choose another.
error-file-picture = This is not a picture that can be used. Choose a JPEG, PNG, GIF or WebP of 32 MB at most.
error-file-location = This file may say where it was made, and that cannot be removed from it. Save it in another format, or put it into an archive, and add that.
error-file-gone = A file is no longer there, or belongs to another message already. Add it again.
error-form-large = This is too much for one form, which can hold { $limit }. Shorten it, or leave some out.
error-upload-longer = The file is longer than the { $limit } that were announced. Send it again.
error-upload-offset = The upload is at another position. Ask for it, and continue from there.
error-checksum = The file was damaged on the way. Send it again.
error-too-many-uploads = Too many of your files are being sent. Wait until some have arrived.

error-files-many = A message can have { $limit } files at most. Remove some, or send them in parts.
error-caption-long = A caption can have { $limit } characters at most. Shorten it.
file-preparing = The picture is being prepared.
file-not-shown = This browser cannot show this picture. Save it to open it elsewhere.
file-not-played = This browser cannot play this video. Save it to open it elsewhere.
picture-cropped = Open to see all of it
picture-play = Play
picture-pause = Stop
viewer-count = {"{n}"} of {"{all}"}
viewer-previous = Previous picture
viewer-next = Next picture
viewer-larger = Zoom in
viewer-smaller = Zoom out
viewer-save = Save
viewer-original = Open the original
viewer-failed = The picture could not be loaded. Close it and try again.
files-of = Files in { $room }
files-back = Back to the room
files-empty = No files yet
files-empty-text = What people add to their messages in this room is listed here, newest first.
files-message = Message
files-title = Files
attach = Add files
attach-hint = You can also paste files, or drop them on the room.
attach-caption = Caption of {"{file}"}
attach-caption-hint = Caption
attach-many = A message can have {"{n}"} files at most.
attach-pause = Pause
attach-resume = Continue
attach-remove = Remove
attach-intact = Keep as it is
attach-intact-all = Keep files as they are
attach-intact-hint = Send the file unchanged. It may say where, when and with which device it was made.
attach-wait = Your files are still on their way. Wait until they have arrived, or remove them.
attach-again = The upload stopped when the page was closed. Choose the same file again to continue.
attach-failed = This file could not be sent. Try again, or remove it.
attach-folder = This is a folder. Add the files in it, or pack it into an archive and add that.
attach-gone = This file is not there any more. Choose it again.
attach-changed = This file was changed meanwhile, or cannot be read. Choose it again.
attach-blocked = Some files could not be sent. Remove them, or try again.
attach-ready = Ready

## Voice messages

voice-words = Voice message, { $time }
voice-name = Voice message
voice-record = Record a voice message
voice-insecure = This page was opened without encryption, and browsers keep the microphone from such pages. Open it by an address that begins with https.
voice-unsupported = This browser cannot record sound. Use a newer one, or attach a recording as a file.
voice-refused = The browser does not let this page use the microphone. Allow it beside the address of the page, and try again.
voice-missing = No microphone was found. Connect one, and try again.
voice-busy = The microphone cannot be used now. Another program may have it: close that, and try again.
voice-empty = Nothing was recorded. Try again.
voice-started = You are recording, for 10 minutes at most.
voice-paused = The recording is paused.
voice-full = 10 minutes are recorded, and more is not possible. Listen to it, or send it.
voice-discard = Discard the recording
voice-discard-again = The recording has stopped. Discard it once more to remove it, or listen to it and send it.
voice-record-pause = Pause the recording
voice-record-resume = Go on recording
voice-stop = Stop, and listen to it
voice-play = Play the voice message
voice-pause = Pause the voice message
voice-position = Position
voice-position-text = {"{now}"} of {"{all}"}
voice-speed = Speed
voice-not-played = This browser cannot play this recording. Save it from the message's menu to hear it elsewhere.
voice-download = Save the recording
error-voice-shape = What this page says of the recording cannot be used. Reload the page, and record it again.
error-voice-long = A voice message can have { $limit } minutes at most. Record a shorter one.
error-voice-sound = This file is no sound, and cannot be sent as a voice message. Attach it as a file.

picture-title = Your picture
picture-hint = JPEG, PNG, GIF or WebP. Where it was taken, and what else the file says about you, is not kept.
picture-choose = Choose a picture
picture-remove = Remove the picture
emblem-title = Picture of the space
emoji-title = Emoji
emoji-hint = Write the name between colons in a message, as in :tide:.
emoji-name = Name
emoji-add = Add emoji
error-emoji-name = A name has 2 to { $limit } small letters, digits, - or _. Choose one like that.
error-emoji-taken = There is an emoji of this name already. Choose another name.
error-emoji-standard = This is the name of a standard emoji, which would be shown instead. Choose another name.
error-categories-full = This space has as many categories as it can have: 50.
error-overrides-full = This room has as many rules for roles and people as it can have: 200.
error-rooms-full = This space has as many rooms as it can have: 500 open ones, 500 archived and 500 deleted ones.
error-conversations-full = One of you has 500 conversations, the most there can be. Write in one that you have.
error-spaces-full = You belong to 200 spaces, the most there can be. Leave one first.
error-emoji-many = This space has 500 emoji, the most there can be. Remove one first.

## Profiles, blocks, and who may write
profile-title = Your profile
profile-about = About you
profile-hint = People who share a space or conversation with you see this.
profile-look = See how it looks
field-display-name = Name that is shown
display-name-hint = Leave it empty to be shown as your user name. You sign in as
field-pronouns = Pronouns
field-bio = About me
bio-hint = Up to 500 characters. Web addresses become links.
field-time-zone = Time zone
time-zone-hint = Others see which time it is for you. Leave it empty to tell nobody.
status-title = Status
field-status-emoji = Emoji
field-status = What you are doing
field-status-ends = Ends
status-ends-never = When I change it
status-ends-30m = In 30 minutes
status-ends-1h = In an hour
status-ends-4h = In 4 hours
status-ends-today = Today
status-ends-week = This week
status-clear = Clear status
privacy-title = Privacy
writers-title = Who may write to you
writers-hint = This is about new conversations. Those that you have go on.
field-writers = New conversations
writers-all = Everybody on this server
writers-spaces = People in my spaces
writers-nobody = Nobody
receipts-title = Read receipts
receipts-hint = In direct conversations. Only people who share theirs see yours, and you see theirs only while you share yours. Nobody sees them while you are invisible.
field-shares-reads = Show what I have read
blocked-title = Blocked and ignored people
blocked-hint = Open somebody's profile to block or ignore them. They are not told.
blocked-ignored = ignored
action-block = Block
action-ignore = Ignore
action-unblock = Unblock
fold-blocked = 1 message of somebody you blocked
fold-ignored = 1 message of somebody you ignore
fold-show = Show
block-hint = Somebody you block cannot write to you in a direct conversation. They are not told.
person-local-time = Time for them
person-since = Here since
person-spaces = In common
person-edit = Edit profile
person-write = Write
conversation-closed-notice = This conversation is closed. Nobody can write in it.
error-conversation-closed = This conversation is closed. Nobody can write in it.
error-takes-no-messages = Somebody here does not take new conversations.
error-block-self = You cannot block yourself.
error-blocks-full = You block or ignore 1,000 people. Unblock somebody first.
error-status-emoji = This is not an emoji. Enter a single one, or nothing.
error-time-zone = This is no time zone. Enter one such as Europe/Vienna, or nothing.

## Joining a space

space-for-members = For members

action-view = View
open-spaces-title = Spaces you can join
spaces-hint = These need no invite.
spaces-empty = No space is open to you
spaces-empty-text = Every other space here needs an invite. Ask somebody who is in it for a link.
join-by-anybody = Everybody with an account here may join.
join-by-approval = Its moderators decide who joins.
join-waiting = You have asked to join.
join-apply = Ask to join
join-with-password = Join with a password
join-password-label = Password of the space
join-password-hint = Whoever gave you the link knows it.
join-words-label = A sentence about you
join-words-hint = The moderators read it. At most 300 characters.
join-waiting-text = You have asked to join. This page opens the space as soon as a moderator accepts you.
join-withdraw = Take it back
# Stands before a date.
join-declined = The moderators declined on
join-declined-wait = You can ask again a day later.
join-accepted = You are in.
join-enter = Open the space
join-guest-hint = What others see. You need no account: you read for a day.
join-guest-button = Read as a guest
join-guest-signed-in = This link is for people without an account here, who read for a day. Ask for an invite to join.
ask-withdraw-application = Take back what you asked?
ask-withdraw-application-text = You can ask to join again at any time.
ask-withdraw-application-yes = Take back

joining-title = Joining
mode-title = How people join
mode-hint = Invites work in each of these.
mode-invitation = By invite only
mode-invitation-hint = Nobody else learns that the space is there.
mode-open = Open
mode-open-hint = Everybody with an account on this server finds the space in a list and may join.
mode-approval = By approval
mode-approval-hint = Everybody with an account finds the space and may ask to join. Moderators decide.
mode-password = With a password
mode-password-hint = Whoever has the link and the password may join. The space is in no list.
mode-password-label = Password
mode-password-set = There is one. Enter another to change it, or leave this empty.
mode-password-unset = For joining with a password. At least 8 characters.
mode-link = Link to join
mode-link-anybody = Who opens it without an account can make one.
mode-link-accounts = Who opens it needs an account on this server. The host can let everybody make one.
guests-stay-label = Guests may become members
guests-stay-hint = They enter an address and a password, and keep their name.
space-rules-title = Rules
space-rules-hint = Members accept them before they write. Without rules nobody has to.
space-rules-label = Rules of the space
space-rules-again-label = Ask everybody again
space-rules-again-hint = All members but owners only read until they have accepted the rules.
space-rules-read = Read the rules
space-rules-read-link = Read the rules
# $space: the space's name.
space-rules-of = Rules of { $space }
space-rules-none = This space has no rules.
space-rules-accept = Accept the rules
space-rules-accept-hint = You can read here already. To write, accept the rules.
space-rules-later = Later
welcome-heading = Welcome
welcome-hint = Members see this page once, after joining. It opens when there is a text or a room on it.
welcome-label = Text
welcome-rooms = Rooms to look at (at most 10)
welcome-see = See the page
# $space: the space's name.
welcome-title = Welcome to { $space }
welcome-look = Rooms to look at
welcome-roles = Choose your roles
welcome-steps = First steps
welcome-picture = Set your picture
welcome-go = Say hello
applications-title = Applications
applications-hint = People who ask to join the space. Whoever is accepted is let in at once.
applications-empty = Nobody asks to join.
# $count: how many wait for an answer.
applications-count = { $count ->
    [one] { $count } person asks to join
   *[other] { $count } people ask to join
}
application-answer = Words for who is declined
application-accept = Accept
application-decline = Decline

register-title = Create an account
register-text = It is for this server. Then choose a space to join.
register-button = Create account
registration-title = Registration
registration-heading = Who may make an account
registration-label = Anybody may make an account
registration-hint = Otherwise people need an invite of a space. At most 200 accounts are made without an invite in a day.
# $count: accounts made without an invitation in the last 24 hours.
registration-today = { $count ->
    [one] { $count } account was made without an invite in the last day.
   *[other] { $count } accounts were made without an invite in the last day.
}

guest-title = You are a guest
guest-is = You read along
# Stands before a time.
guest-until = Until
guest-ends = Then your name and all that there is of you here is deleted.
# $space: the space's name.
guest-stay = Stay in { $space }
guest-stay-text = Make your name an account, and you can write.
guest-stay-link = How to stay
guest-ask = To take part, ask somebody of the space for an invite.

# $space: the space's name.
start-title = { $space } is ready
start-invite = Invite the first people
start-invite-text = Make a link and send it to them, or let them scan it. It works for a week; you can take it back at any time.
start-invite-button = Make an invite link
start-next = What else there is
start-room = Write the first message
start-room-text = Who comes later reads what was said before.
start-joining = Choose how people join
start-joining-text = By invite, by approval, with a password, or everybody; with rules and a welcome.
start-space = Give the space a picture
start-space-text = Its name, picture and emoji.

permission-community-approve = Accept and decline people who ask to join
permission-community-set-registration = Say whether strangers may make accounts
audit-for-guests = For guests
audit-guests-may-stay = Guests may become members
audit-new-password = With a new password
audit-asks-again = Everybody was asked again
audit-open = Anybody may make an account
act-space-joining-changed = Changed how people join
act-space-rules-changed = Changed the rules
act-space-welcome-changed = Changed the welcome
act-server-registration-changed = Changed who may make an account
act-invitation-created = Made an invite
act-invitation-revoked = Took back an invite
act-member-accepted = Accepted the application of
act-member-declined = Declined the application of

error-joining-changed = This space is joined in another way by now. Load the page again.
error-join-password-missing = Enter a password of at least 8 characters.
error-space-password = This is not the password of the space. Try again.
error-member-already = You are a member already.
error-application-wait = The moderators declined less than a day ago. Ask again later.
error-applications-full = Too many people ask to join this space. Try again when its moderators have answered some.
error-applications-own = You have asked to join 20 spaces. Wait for an answer, or take one back.
error-application-answered = Somebody else has answered this, or it was taken back.
error-applicant-banned = This person is banned, or their address is. Lift the ban first, or decline.
error-applicant-full = This person belongs to 200 spaces, the most there can be.
error-rules-changed = The rules were changed meanwhile. Read them again.
error-registration-closed = Accounts are made by invite here. Ask somebody of the server for one.
error-registrations-full = Too many accounts were made here today. Try again tomorrow, or ask for an invite.
error-guests-full = Too many guests are reading. Try again later, or ask for an invite.
error-guests-network = Too many guests are reading from your address. Try again later, or ask for an invite.
error-guests-leave = This space does not let guests become members. Ask somebody of it for an invite.
error-guest-over = You are no guest any more. Load the page again.

## Reports, the moderation queue and appeals

moderation-heading = Moderation
action-report = Report
action-select = Select messages
report-title = Report
report-person = Report this person
report-to = Who should look at it
report-to-space = The moderators of { $space }
report-to-host = The host of this server
report-reason = What is wrong
report-reason-spam = Spam
report-reason-harassment = Harassment
report-reason-hate = Hate
report-reason-illegal = Illegal or dangerous
report-reason-other = Something else
report-words = What moderators should know
report-hint = Moderators see that you reported it. The person you report does not.
report-hint-host = The host of this server sees that you reported it. The person you report does not.
report-button = Send report
reports-title = Your reports
reports-hint = Moderators look at every report. What they do about it stays between them and the person.
reports-empty = You have reported nothing
reports-empty-text = Report a message or a person that breaks the rules, and moderators will look.
reports-reviewed = Your report was reviewed
report-state-open = Waiting
report-state-resolved = Reviewed
report-thanks = Thank you. A moderator has looked at it.
queue-title = Reports
server-queue-title = Host reports
queue-show = Which ones
queue-open = Open
queue-resolved = Resolved
queue-reports = Reports
queue-empty = Nothing waits. What members report, and their appeals, come here.
queue-none-resolved = Nothing was resolved yet.
case-title = Reported
case-reports = { $count ->
    [one] { $count } report
   *[other] { $count } reports
}
case-open = See it in place
case-history = Their history
case-acts = What to do
case-acts-hint = Their page under Members has more: other lengths, a reason, notes.
case-delete = Delete the message
case-time-out = Time out for an hour
case-remove = Remove
case-saw = What this person saw:
case-resolve = Resolve
case-resolve-button = Resolve
case-resolved-by = Resolved by
case-outcome = What you found
case-outcome-acted = Something was done about it
case-outcome-nothing = Nothing was wrong
case-note = Note
case-note-hint = For moderators only. Who reported it is told that it was reviewed, and nothing more.
case-not-yours = Somebody who stands above this person has to decide this.
appeals-title = Appeals
appeal-title = Appeal
appeal-link = Appeal
appeal-words = Why moderators should look again
appeal-hint = You can appeal once. Moderators read it and answer here.
appeal-button = Send appeal
appeal-answer = What the moderators say:
appeal-state-open = Your appeal waits for a moderator.
appeal-state-lifted = The sanction was lifted.
appeal-state-upheld = The sanction stays.
appeal-review-title = Appeal
appeal-decide = Decide
appeal-answer-label = Answer, which they read
appeal-lift = Lift the sanction
appeal-uphold = Uphold it
select-title = Select messages
select-hint = Those you select are deleted together. Nobody can bring them back.
select-empty = There is nothing to select here.
select-delete = Delete selected
slow-left = You can send the next one in { "{n}" } s.

## Bans of the whole server

server-bans-title = Bans of the server
server-audit-title = Audit log of the server
server-bans-list = In force
suspend-title = Suspend an account
suspend-hint = It is signed out everywhere at once, and nobody can sign in to it until you lift this or it ends.
suspend-name = User name
suspend-address = Ban the address it last came from, too
suspend-address-hint = Nothing is answered to anybody there. It may be shared by a household or school.
suspend-button = Suspend
network-title = Ban an address
network-hint = Nothing that comes from there is answered, to nobody.
network-label = Address or network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48
network-reason = Reason, for your own notes
network-button = Ban address
error-reason-empty = Give a reason.
error-suspended = The host has suspended this account. Reason: { $reason }
error-suspended-until = The host has suspended this account until { $until }. Reason: { $reason }
error-host-suspended = The host of the server cannot be suspended.
error-network = Write an address such as 192.0.2.7, or a network such as 192.0.2.0/24: at most a /16, or a /32 of IPv6.
error-network-own = You are using this network yourself.
error-network-refused = The host of this server does not accept requests from your network.
error-networks-full = At most 1,000 networks can be banned. Lift some of these bans first.
error-account-unknown = There is no account of this name.
error-report-self = You cannot report yourself.
error-report-words = Say what is wrong.
error-reported-already = You have reported this already. Moderators will look at it.
error-reports-full = You have 20 open reports. Wait until moderators have looked at some of them.
error-judge-self = You cannot decide this about yourself.
error-case-resolved = Somebody has resolved this already.
error-appealed-already = You have appealed already.
error-appeal-words = Say why moderators should look again.
ask-delete-selected = Delete the selected messages?
ask-delete-selected-text = Nobody can bring them back.
ask-delete-selected-yes = Delete
ask-delete-reported = Delete this message?
ask-delete-reported-text = Nobody can bring it back. The report keeps what it said.
ask-delete-reported-yes = Delete
ask-suspend = Suspend this account?
ask-suspend-text = It is signed out everywhere at once.
ask-suspend-yes = Suspend
ask-ban-network = Ban this network?
ask-ban-network-text = Nothing that comes from there is answered, to nobody.
ask-ban-network-yes = Ban
act-report-resolved = Resolved reports about
act-appeal-lifted = Lifted on appeal a sanction of
act-appeal-upheld = Upheld on appeal a sanction of
act-account-suspended = Suspended
act-account-restored = Lifted the suspension of
act-network-banned = Banned the network
act-network-unbanned = Lifted the ban of the network
audit-kind-appeal = Appeals
audit-kind-account = Accounts
audit-kind-network = Networks
permission-moderation-review = Review what members report, and their appeals

## Rules that act by themselves, held messages and raid mode

rules-title = Rules
rules-hint = Rules read every new message and every edit, on their own. They do not act on moderators, nor in direct conversations.
rules-empty = This space has no rules. Everything that members write is posted as it is.
rule-off = Off
rule-switch-on = Switch on
rule-switch-off = Switch off
rule-new-hint = Add a rule for
rule-kind-words = Words
rule-kind-links = Links
rule-kind-floods = Floods
rule-kind-newcomers = Newcomers
rule-hint-words = Finds words and patterns in messages.
rule-hint-links = Finds links to other servers in messages.
rule-hint-floods = Finds too many messages of one member in a short time, the same text again and again, and too many mentions or links in one message. An empty field counts nothing.
rule-hint-newcomers = Finds what members write who joined, or whose account was made, a short time ago.
rule-name = Name
rule-words = Words
rule-words-hint = One on each line. Whole words only; capital letters, accents and look-alike letters make no difference.
rule-patterns = Patterns
rule-patterns-hint = Regular expressions, one on each line.
rule-policy = Which links
rule-policy-all = All links
rule-policy-all-but = All but those to these domains
rule-policy-only = Only those to these domains
rule-domains = Domains
rule-domains-hint = One on each line, such as example.org. Those below it count, too.
rule-messages = Messages of one member, more than
rule-seconds = In how many seconds
rule-repeats = Same text in five minutes, more often than
rule-mentions = Mentions in one message, more than
rule-links = Links in one message, more than
rule-hours = New for how many hours
rule-what = What it finds of theirs
rule-newcomer-links = Messages with links
rule-newcomer-files = Messages with files
rule-newcomer-links-and-files = Messages with links or files
rule-newcomer-anything = Every message
rule-then = What happens then
rule-action-mask = What was found is made unreadable
rule-action-hold = The message waits for a moderator
rule-action-refuse = The message is refused
rule-time-out = And the author only reads for
rule-time-out-none = No time
# $minutes: how many.
rule-time-out-minutes = { $minutes } minutes
rule-exempt = Not for members with these roles
rule-exempt-hint = It never acts on who may write whatever the rules say.
rule-rooms = Only in these rooms
rule-rooms-hint = Without any it acts in all rooms.
rule-enabled = Switched on
rule-try = Try it on the last day
rule-tried = On the last day
# $found: messages it would have acted on. $looked: messages that were looked at.
rule-tried-count = It would have acted on { $found } of { $looked } messages. Nothing was changed.
rule-would-mask = Masked
rule-would-hold = Held
rule-would-refuse = Refused
rule-would-pass = Posted
rule-delete-title = Delete this rule
rule-delete-button = Delete the rule
raid-title = Raid mode
raid-hint = When very many people join at once, raid mode begins: for a while nobody joins, and those who just joined only read. Everybody else talks on.
raid-joins = Begins at more joins than
raid-joins-hint = With 0 it never begins by itself.
raid-minutes = Within how many minutes
raid-length = Minutes that it lasts
raid-begin = Begin raid mode now
raid-mode-notice = Raid mode is on: nobody joins, and those who just joined only read, until
raid-mode-end = End it
raid-mode-remove = Remove who just joined
held-title = Held
held-nav = Held messages
held-hint = These messages wait, because a rule held them. After seven days they go by themselves.
held-empty = No message waits.
held-by-rule = held by
held-release = Post it
held-discard = Discard
held-note = A moderator will look at this message before others see it.
held-discarded-note = A moderator has decided not to post this message.
ask-delete-rule = Delete the rule { $name }?
ask-delete-rule-text = It stops acting at once. Messages that it held keep waiting.
ask-delete-rule-yes = Delete
ask-raid-mode = Begin raid mode?
ask-raid-mode-text = Nobody can join for a while, and those who joined in the last minutes only read.
ask-raid-mode-yes = Begin
ask-remove-joined = Remove all who joined since raid mode began?
ask-remove-joined-text = They lose the space at once. To come back they need an invite.
ask-remove-joined-yes = Remove
ask-discard-held = Discard this message of { $name }?
ask-discard-held-text = It is deleted with its files, and its author is told.
ask-discard-held-yes = Discard
act-rule-created = Made the rule
act-rule-changed = Changed the rule
act-rule-switched-on = Switched on the rule
act-rule-switched-off = Switched off the rule
act-rule-deleted = Deleted the rule
act-raid-mode-begun = Raid mode began
act-raid-mode-ended = Raid mode ended
act-raid-mode-changed = Changed when raid mode begins
act-raid-mode-removed = Removed who joined in raid mode
act-message-released = Posted a held message of
act-message-discarded = Discarded a held message of
permission-moderation-rules = Set the rules that act by themselves, and try them
permission-moderation-exempt = Write whatever the rules that act by themselves say
error-raid-mode = This space takes nobody in for now, because very many people joined at once. Try again later.
error-no-raid-mode = Raid mode is not on.
# $limit: the greatest number.
error-between = Enter a number up to { $limit }.
error-rule-words = This message has words that are not allowed in this space. Change it and send it again.
error-rule-links = This message has a link that is not allowed in this space. Take it out and send it again.
error-rule-mentions = This message mentions too many people. Take some out and send it again.
error-rule-many-links = This message has too many links. Take some out and send it again.
error-rule-repeated = You have sent this text several times already. Say it once.
error-rule-newcomer = New members cannot send this yet. Try again when you have been here for longer.
error-edit-held = This change would have to wait for a moderator, which only new messages can. Nothing was changed.
error-held-full = Too many messages wait for a moderator already. Try again when they have looked at them.
error-held-decided = Somebody has decided about this message already.
error-held-discarded = A moderator has decided not to post this message.
error-rule-mask = This kind of rule cannot make anything unreadable. Choose another.
error-rule-nothing = This rule would find nothing. Fill in at least one field.
error-rule-seconds = Say in how many seconds.
# $limit: the greatest number.
error-rule-word-long = A word here is too long. It may have { $limit } characters.
error-rule-word-blank = A word here has nothing that can be seen. Take it out.
# $limit: the greatest number.
error-rule-many-words = These are too many words. A rule has up to { $limit }.
# $limit: the greatest number.
error-rule-many-patterns = These are too many patterns. A rule has up to { $limit }.
error-rule-pattern = A pattern here is no regular expression, or too large.
error-rule-pattern-empty = A pattern here finds an empty text. It would find everything.
error-rule-domain = A line here is no domain. Enter one such as example.org.
# $limit: the greatest number.
error-rule-many-domains = These are too many domains. A rule has up to { $limit }.
error-rules-full = This space has as many rules as it can have. Delete one first.
error-rules-patterns = The rules of this space have too many patterns in all. Take some out.

# Search
search-title = Search messages
search-label = Search for
search-placeholder = Words, "a phrase", from:somebody
search-sort = Order
search-newest = Newest first
search-best = Best first
search-recent = Last searches
search-clear = Forget them
search-none = Nothing was found. Try fewer words, or the beginning of one with a star.
search-incomplete = The search index is still being made, the newest first: older messages may be missing.
search-older = Older results
search-all = Search all messages
search-no-name = Nothing you know is called { $value }.
search-no-date = { $value } is not a date. Write 2026-11-28, 2026-11 or 2026.
search-help = What can be written
search-help-phrase = these words in this order
search-help-prefix = words that begin so
search-help-without = without this word
search-help-from = written by somebody; from:me is you
search-help-in = in a room
search-help-space = in a space
search-help-dates = from a day on, before a day (UTC)
search-help-has = with links, files or pictures
search-help-is = pinned to a room
search-help-mentions = mentions you, or somebody else
search-rebuild = Make the search index anew
ask-rebuild-search = Make the search index anew?
ask-rebuild-search-text = Messages are found again as it grows, the newest first. A million take some minutes.
ask-rebuild-search-yes = Make it anew

## Notices

inbox-title = Inbox
inbox-heading = For you
inbox-none = Nothing here yet
inbox-none-text = Messages that call you, direct conversations, and answers to you are listed here.
inbox-read = Mark as read
inbox-read-all = Mark all as read
# $count: unread notices; 100 stands for more, too.
count-notices = { $count ->
    [one] { $count } unread notice
   *[other] { $count } unread notices
}
# $name: who wrote; $place: the room, or the people of a conversation.
notice-mention = { $name } mentioned you
notice-direct = { $name } wrote to you
notice-message = { $name } wrote
notice-join-accepted = You were accepted into a space
notice-join-declined = Your application to join a space was declined
notice-appeal-lifted = Your appeal was accepted: what was decided about you was taken back
notice-appeal-upheld = Your appeal was looked at: the decision stands
notices-title = Notices
notices-device = On this device
notices-device-scripts = What this device does when something comes is set here, with scripts switched on.
notices-desktop-hint = A notification of the desktop tells you while a page of this server is open somewhere, but not in front of you.
notices-desktop-insecure = Browsers allow notifications only to servers with an address that begins with https. The host of this server can set that up.
notices-desktop-denied = This browser was told to show no notifications of this server. You can change that in the settings of the browser.
notices-desktop-on = Show notifications
notices-desktop-off = Show no notifications
notices-sound-hint = A short sound, while a page of this server is open.
notices-sound-on = Play a sound
notices-sound-off = Play no sound
notice-level-title = What you are told of
notice-level-legend-room = In this room
notice-level-legend-space = In the rooms of this space
notice-level-default = As usual
# $level: the name of a level.
notice-level-default-hint = Now: { $level }.
notice-level-all = Everything
notice-level-all-hint = Each message.
notice-level-mentions = Mentions
notice-level-mentions-hint = What calls you, your role or group, or everybody.
notice-level-nothing = Nothing
notice-level-nothing-hint = Not even mentions. Unread messages do not mark it, but mentions are counted beside it.
notice-level-hidden = Hidden
notice-level-hidden-hint = As nothing, and it is listed only while it mentions you. Search and the switcher still find it.
notice-level-of-space = The other rooms of this space
notice-levels-hint = Your spaces, and the rooms for which you chose something else.
error-notice-levels-full = You have chosen this for as many rooms as you can. Go back to the usual in some of them.
digest-title = Mail
digest-hint = What stayed unread in your inbox, mailed to { $email } at eight in the morning of your time zone. Nothing is mailed while one of your pages is open.
field-digest = Unread notices by mail
digest-never = Never
digest-daily = Once a day
digest-weekly = Once a week, on Mondays
digest-subject = { $count ->
    [one] You have one unread notice on { $server }
   *[other] You have { $count } unread notices on { $server }
}
digest-subject-more = You have more than { $count } unread notices on { $server }
digest-more = There are more in your inbox.
digest-link = Open the inbox
digest-stop-link = Send no more of these mails
digest-stop-title = Unread notices by mail
digest-stop-text = Do you want no more of these mails?
digest-stop-button = Send no more
digest-stopped-title = You get no more of these mails
digest-stopped-text = Under Settings, Notices you can turn them on again.
quiet-title = Quiet hours
quiet-hint = In these hours nothing sounds or shows a notification. It waits in your inbox. The same goes while you do not want to be disturbed.
field-quiet-from = From
field-quiet-to = To
quiet-off = No quiet hours
# $zone: the name of a time zone.
quiet-zone = By the clock of { $zone }.
quiet-zone-none = By the clock of UTC, as your profile names no time zone.
error-quiet-time = Give a time such as 22:00.
room-muted = muted
push-title = When no page is open
push-hint = Notices also reach a device whose pages are closed, through the push service of its browser, which cannot read them. What you have read within some seconds is not sent.
push-on = Send notices to this device
push-off = Send none
push-this-device = This device
push-apple = On an iPhone or iPad, first add this page to the Home Screen (Share, then Add to Home Screen), open it from there, and come back here.
push-missing = This browser has no push notifications.
push-failed = The push service of this browser could not be reached. Try again later.
error-push-endpoint = This is no address of a push service.
error-push-keys = These keys of the browser cannot be used.
offline-title = No connection
offline-text = The server cannot be reached. Check the network of this device.

# Voice
voice-title = Voice
voice-inside = In the voice of this room
voice-nobody = Nobody is in here yet.
voice-call = Start or join a call
voice-calls = { $name } is calling
voice-accept = Answer
voice-decline = Decline
voice-join = Join voice
voice-off = Voice is not available on this server: its port could not be had.
voice-not-allowed = You may not join the voice of this room.
voice-needs-scripts = To talk, the page needs JavaScript. Above you see who is inside.
voice-live = Live
voice-shows-camera = camera on
voice-is-muted = muted
voice-is-deafened = hears nobody
voice-is-silenced = muted by a moderator
voice-connecting = Connecting…
voice-connected = Connected
voice-reconnecting = Reconnecting…
voice-only-listening = Listening only
voice-joined = { "{name}" } joined
voice-left = { "{name}" } left
voice-needs-https = This page is not on a secure address, so browsers give it no microphone. You can listen; to speak, open the page over https, or on the server's own machine.
voice-no-device = No microphone was found. You can listen.
voice-denied = The browser does not let this page use the microphone. You can listen; to speak, allow it beside the address, and join again.
voice-unreachable = The server's voice port cannot be reached from here. Whoever runs the server has to let it through, UDP or TCP.
voice-share-of = Screen of { "{name}" }
voice-enlarge = Enlarge
voice-volume-of = Volume of { "{name}" }
voice-muted-hint = You are muted: nobody hears you.
voice-own-camera = Your camera
voice-own-screen = Your screen
voice-own-window = In a window of its own
voice-hold-to-talk = Hold to talk
voice-volumes = Volume of others, devices
voice-devices = Microphone, camera and speaker
voice-devices-title = Voice and video
voice-devices-scripts = Microphone, camera and speaker are chosen with JavaScript, which this page does without.
voice-device = Device
voice-device-system = As the system chooses
voice-device-unnamed = Device { "{number}" }
voice-microphone = Microphone
voice-level = How loud you are
voice-test-start = Test it, and hear yourself
voice-test-stop = End the test
voice-test-hint = You hear yourself as others do, so wear headphones. What you choose below is heard at once.
voice-mode = Your voice is sent
voice-mode-open = while you are not muted
voice-mode-gate = when you speak louder than a threshold
voice-mode-key = while you hold a key, or the button of the bar
voice-threshold = Threshold
voice-key = Key
voice-key-change = Choose another key
voice-key-hint = It works while this tab has the focus. A key that writes something works where nothing is being written.
voice-press-key = Press the key
voice-noise = Noise removal
voice-noise-off = Off
voice-noise-browser = The browser's
voice-noise-rnnoise = RNNoise, which takes away more
voice-no-rnnoise = RNNoise does not run in this browser: your voice is sent as it comes.
voice-echo = Cancel the echo of loudspeakers
voice-speaker = Speaker
voice-speaker-test = Play a tone
voice-no-camera = No camera can be used: none was found, another program has it, or the browser does not let this page use it.
voice-preview-start = Show the picture
voice-preview-stop = End
voice-share-for = A shared screen is sent for
voice-share-detail = sharp text
voice-share-motion = smooth motion
voice-connection = Connection
voice-connection-hint = Sends a few seconds of silence to the server, and says which way it goes.
voice-connection-test = Test the connection
voice-test-running = Testing…
voice-test-udp = Voice reaches the server over UDP: the best way.
voice-test-tcp = Voice reaches the server over TCP. That works, and is late when packets are lost. Whoever runs the server may have to let UDP port { "{port}" } through; some networks let no UDP out.
voice-test-failed = Voice does not reach the server. Whoever runs it has to let UDP and TCP port { "{port}" } through, from outside to the machine, at these addresses: { "{addresses}" }.
voice-test-figures = Round trip { "{time}" } ms, { "{lost}" } % lost.
voice-test-unsupported = This browser cannot talk: it has no WebRTC.
voice-test-private = The server tells browsers only addresses of its own network: { "{addresses}" }. People elsewhere will not reach it. Whoever runs the server can name an outer address in voice_addresses.
voice-test-nowhere = The server knows no address of its own that browsers can reach. Whoever runs it has to name one in voice_addresses.
voice-mute = Mute
voice-deafen = Deafen
voice-camera = Camera
voice-share = Share screen
voice-silence = Mute { $name } for everybody
voice-unsilence = Let { $name } speak again
voice-move-person = Move { $name } to another room
voice-move-title = Move to another room
voice-move-where = Where to
voice-move-nowhere = There is no other voice room to which you may move people.
voice-move-action = Move
voice-raise-hand = Raise your hand
voice-priority = Speak over others
voice-has-priority = is heard over others
voice-raises-hand = raises a hand
voice-let-speak = Let { $name } speak
voice-let-listen = Have { $name } only listen
voice-may-speak = You may speak now.
voice-only-listen = You only listen here. Raise your hand to be let speak.
voice-is-stage = A stage: few speak, the others listen and may raise a hand.
voice-rules-title = Voice of this room
voice-max-people = People at once
voice-max-people-hint = Empty for as many as fit. Who may mute others gets in all the same.
voice-bitrate = Quality of a voice
voice-bitrate-of = { $rate } kbit/s
voice-bitrate-hint = 40 is clear speech; 96 and more is for music. Everybody hears each who speaks at this rate.
voice-stage-label = Stage
voice-stage-hint = Only those who may mute others speak, and whom they let. The others listen, and raise a hand.
voice-idle = When nobody speaks or shows anything, everybody is taken out
voice-idle-never = never
voice-idle-minutes = after { $minutes } minutes
voice-take-out = Take { $name } out of voice
voice-leave = Leave voice
error-voice-offer = The browser's offer cannot be answered. Reload the page, and try again.
error-voice-full = This server has as many people in voice as it takes. Try again later.
error-voice-room-full = This room is full.
error-voice-idle = Nobody spoke for a long time, so the voice of this room was ended.
error-voice-move = Choose another voice room of this space.
error-voice-move-right = They may not join the voice of that room.
error-voice-max-people = Use a number from 1 to 1,000, or leave it empty.
error-voice-bitrate = Choose one of the qualities.
error-voice-idle-minutes = Choose one of the times.
error-voice-tests = Many people test their connection just now. Try again in a few seconds.
error-voice-removed = You were taken out of the voice of this room.
error-voice-elsewhere = You joined voice in another window.
error-voice-room-kind = There is no voice in this kind of room.
error-voice-direct = In a direct conversation nobody decides over others.
act-voice-silenced = Muted in voice
act-voice-unsilenced = Let speak in voice again
act-voice-speaker-set = Let speak on a stage
act-voice-speaker-unset = Had only listen on a stage
act-voice-moved = Moved to another voice room
act-voice-rules-changed = Changed the voice of
act-voice-disconnected = Took out of voice
permission-voice-connect = Join the voice of a room, and listen
permission-voice-speak = Speak in the voice of a room
permission-voice-show-camera = Show a camera in the voice of a room
permission-voice-share-screen = Share a screen in the voice of a room
permission-voice-mute-others = Mute others in the voice of a room for everybody
permission-voice-move-others = Take others out of the voice of a room
permission-voice-priority = Have others be quieter while one speaks in the voice of a room

## Letters
letters-title = Letters
letters-lists = Lists of letters
letters-inbox = Received
letters-sent = Sent
letters-drafts = Drafts
letters-plaza = Plaza
letters-inbox-none = No letter has arrived yet. Write one: answers come to who writes.
letters-sent-none = You have not sealed a letter here yet.
letters-drafts-none = No draft waits on your desk.
letters-plaza-none = No open letter hangs here yet.
letters-earlier = Earlier letters
letters-new = Write a letter
letters-find = Whom do you write to?
letters-find-button = Find
letters-book = People you wrote with
letters-book-none = Look for somebody by name.
letters-found = Found
letters-found-none = Nobody here has that name.
letters-write = Write
letters-write-future = For a day to come
letters-write-hand = By hand
letters-others = Other letters
letters-to-myself = To yourself, later
letters-to-myself-hint = It opens on a day that you choose. Until then not even you can read it.
letters-write-myself = Write to yourself
letters-to-all = To everybody
letters-to-all-hint = An open letter hangs in the plaza, where all members read it.
letters-write-all = Write an open letter
letters-everybody = Everybody
letters-myself = Yourself
letters-nobody = Somebody who left
letters-somebody = Somebody
letters-to = To { $name }
letters-from = From { $name }
letters-to-label = To
letters-desk = Your desk
letters-text = The letter
letters-begin = Dear …
letters-saving = Saving …
letters-saved = Saved
letters-not-saved = Not saved. Save it before you leave.
letters-save = Save
letters-seal = Seal
letters-seal-hint = Sealed for ever: the text cannot change. Until it arrives you can take it back.
letters-seal-hint-hand = Sealed for ever: copy it on paper, then scan a sticker. Until it is picked up you can take it back.
letters-paper = Paper
letters-paper-plain = Plain
letters-paper-lined = Lined
letters-paper-cream = Cream
letters-paper-sea = Sea
letters-paper-night = Night
letters-sign = Signed
letters-sign-own = With your name
letters-sign-pen = With a pen name
letters-sign-none = Not at all
letters-pen-name = Pen name
letters-opens-at = Opens on
letters-versions = Earlier texts
letters-restore = Take this one
letters-discard = Throw away
letters-stamp-tide = Tide
letters-stamp-hand = By hand
letters-sealed-arrived = It is sealed. Open it when you have time.
letters-sealed-waits = It is sealed, and on its way.
letters-thread = The correspondence
letters-journey = Its journey
letters-expected = Expected
letters-open = Open
letters-answer = Write back
letters-recall = Take it back
letters-report = Report
letters-hide = Take down
letters-hidden = Moderators took this letter down. Nobody but you sees it.
letters-refuse = No letters, please
letters-take = Take letters again
letters-refusing = You take no letters here. Nobody is told.
letters-taking = Members of this space may write to you.
letters-state-draft = Draft
letters-state-sealed = Sealed
letters-state-posted = Posted
letters-state-in-transit = On its way
letters-state-delivered = Arrived
letters-state-read = Opened
letters-state-replied = Answered
letters-state-recalled = Taken back
letters-state-undeliverable = Could not be delivered
letters-state-returned = Came back
letters-state-lost = Missing
letters-state-expired = Never posted
letters-step-sealed = Sealed
letters-step-given = Given to the tide
letters-step-posted = Posted with its sticker
letters-step-tide = The tide took it
letters-step-taken-by = Taken by { $name }
letters-step-offered-by = Offered on by { $name }
letters-step-delivered = Delivered
letters-step-opened = Opened
letters-step-answered = An answer was sealed
letters-step-recalled = Taken back
letters-step-failed = Could not be delivered
letters-step-retried = Tried again
letters-step-returned = Came back
letters-step-lost = Missing
letters-step-found = Found again
letters-step-expired = Waited too long
letters-reason-absent = Nobody was there
letters-reason-moved = They do not live there any more
letters-reason-refused = It was refused
letters-reason-unreadable = The address cannot be read
letters-reason-damaged = It is damaged
letters-settings = Letters of this space
letters-settings-saved = Saved
letters-ways = How letters travel
letters-way-tide = By tide: they stay here, and take time to arrive
letters-way-hand = By hand: they are copied on paper, and couriers carry them
letters-ways-hint = Without either, this space has no letters. Those that were written stay.
letters-names = Names
letters-allow-pen = Letters may be signed with a pen name
letters-allow-none = Letters need not be signed
letters-names-hint = Moderators see who wrote a letter that is reported.
letters-min-hours = Shortest tide, in hours
letters-max-hours = Longest tide, in hours
letters-hours-hint = 1 to 720. Where two people are far apart, it takes longer.
count-letters = { $count ->
    [one] { $count } unopened letter
   *[other] { $count } unopened letters
 }
notice-letter-arrived = A letter arrived for you
notice-letter-delivered = A letter of yours arrived
notice-letter-stopped = A letter of yours stopped on its way
notice-letter-offered = A courier wants to hand letters to you
ask-seal-letter = Seal this letter?
ask-seal-letter-text = Its text can never be changed again.
ask-seal-letter-yes = Seal it
ask-discard-letter = Throw this draft away?
ask-discard-letter-text = It is gone for good, with its earlier texts.
ask-discard-letter-yes = Throw it away
ask-recall-letter = Take this letter back?
ask-recall-letter-text = It does not arrive. You keep it, but cannot send it again.
ask-recall-letter-yes = Take it back
ask-hide-letter = Take this letter down?
ask-hide-letter-text = Only its author sees it then.
ask-hide-letter-yes = Take it down
act-letter-hidden = Took a letter down
act-letter-shown = Brought a letter back
permission-letters-write = Write letters to members of the space, and open ones to all
permission-letters-organise = Set up letters, places, couriers and stickers, and settle what is late or lost
permission-letters-moderate = Take letters down
error-letter-answer-by-tide = Who wrote this does not say who they are, so their door is not told: answer by tide.
error-letter-long = A letter has at most { $limit } characters. Shorten it.
error-letter-empty = Nothing is written yet.
error-letter-recipient = Choose whom the letter is to.
error-letter-not-taken = This person takes no letters from you now.
error-letter-state = The letter is somewhere else by now. Reload the page.
error-letter-sealed = This letter is sealed. Its text cannot change.
error-letter-changed = This draft was changed in another window. Copy what you wrote, and reload the page.
error-letter-signature = Letters of this space are not signed like this.
error-letter-pen-name = Write the pen name.
error-letter-day = Choose a time between an hour and twenty years from now.
error-letter-hours = Write 1 to { $limit } hours, the shortest first.
error-letter-drafts-full = You have as many drafts as one may have. Throw some away.
error-letters-per-day = You sealed as many letters today as one may. Come back tomorrow.
error-letters-off = Letters do not travel like this here.
letters-address = Address:
letters-sticker-code = Code of the sticker
letters-sticker-hint = Copy the letter on paper, stick it on, and scan the sticker or type its code. A sticker belongs to one letter for ever.
letters-bind = Post it
letters-hand-pages = Letters by hand
letters-round = Your round
letters-places = Places
letters-place = A place
letters-places-none = There are no places yet.
letters-place-waits = Waits for an answer
letters-place-mine = Yours
letters-place-pair = Last pair
letters-place-apply = A door of your own
letters-place-apply-hint = Letters by hand find you there. Only who writes to you and the couriers of your area see its whole code.
letters-area = Area
letters-door-name = What couriers look for
letters-door-hint = Such as Room 312, or the green door.
letters-apply = Apply
letters-place-add = Open a place
letters-place-add-hint = AA is a school or town, AABB an area of it, AABBCC a point.
letters-place-code = Code
letters-place-name = Name
letters-place-kind = Kind
letters-kind-school = School or town
letters-kind-area = Area
letters-kind-shop = Shop
letters-kind-box = Letter box
letters-kind-door = Door
letters-place-open = Open it
letters-place-applied = Your application was sent
letters-place-logged = That you looked this up is in the audit log.
letters-approve = Approve
letters-decline = Decline
letters-look-up = Look up
letters-retire = Close
letters-couriers = Couriers
letters-couriers-none = There are no couriers yet.
letters-courier-paused = Takes a break
letters-courier-delivered = { $count } delivered
letters-courier-end = End the post
letters-courier-apply = Carry letters
letters-courier-apply-hint = Couriers take letters from place to place. Who runs the area answers you.
letters-courier-area = Your area or point
letters-courier-area-hint = Its code, such as AABB.
letters-courier-about = When and how you get around
letters-appoint = Appoint somebody
letters-appoint-find = Find a member by name
letters-appoint-who = Member
letters-appoint-rank = Rank
letters-appoint-branch = Branch
letters-appoint-hint = A carrier has AABB or AABBCC, a sorter AABB, a postmaster AA. Leave it empty for a director.
letters-appoint-button = Appoint
letters-rank-carrier = Carrier
letters-rank-sorter = Sorter
letters-rank-postmaster = Postmaster
letters-rank-director = Director
letters-pause = Take a break
letters-resume = Carry again
letters-offered = Offered to you
letters-held = With you
letters-held-none = You carry no letters now.
letters-waiting = To be picked up
letters-waiting-none = Nothing waits in your branch.
letters-late = Late
letters-board = Board
letters-by-area = On their way, by area
letters-board-none = No letter is on its way by hand.
letters-count-waiting = Waiting
letters-count-carried = Carried
letters-count-stuck = Stuck
letters-count-lost = Missing
letters-trouble = To be decided
letters-settle-find = It was found
letters-settle-return = Send it back
letters-settle-retry = Have it picked up again
letters-settle-lose = It is missing
letters-sheets = Stickers
letters-sheets-hint = A sheet has 24 stickers. Print it on A4, cut it, and hand the stickers out.
letters-sheet-make = Make a sheet
letters-sheet-used = { $count } of 24 used
letters-sheet = A sheet of stickers
letters-sheet-print = Print this page on A4. Each sticker is good for one letter.
letters-scan-title = A letter by hand
letters-scan-stranger = This is the sticker of a letter that people carry by hand. If you found it, put it into the next letter box, or give it to who runs the place.
letters-scan-sign-in = Sign in to see more
letters-scan-unused = This sticker is not on a letter yet. Seal a letter by hand, copy it on paper, and scan this again.
letters-scan-bind = Which of your letters does it go on? That cannot be changed.
letters-scan-recipient = This letter is for you, from
letters-scan-have-it = I have it
letters-take-it = Take it
letters-deliver-it = Delivered
letters-hand-over-to = Another courier
letters-hand-over-it = Hand it over
letters-fail-why = Why not
letters-fail-it = It cannot be delivered
letters-retry-it = Try again
ask-bind-sticker = Put this sticker on the letter?
ask-bind-sticker-text = It stays on this letter for ever.
ask-bind-sticker-yes = Post it
ask-retire-place = Close { $name }?
ask-retire-place-text = Letters find nobody there any more. Its code is free again.
ask-retire-place-yes = Close it
ask-end-courier = End the post of { $name }?
ask-end-courier-text = They carry no letters any more.
ask-end-courier-yes = End it
act-place-opened = Opened a place
act-place-retired = Closed a place
act-place-looked-up = Looked up whose door it is
act-courier-appointed = Appointed a courier
act-courier-ended = Ended the post of a courier
error-letter-code = No free sticker of this space has that code. Look at it again.
error-letter-no-door = This person has no door for letters by hand yet.
error-letter-held = Another courier has this letter.
error-letter-reason = Choose why it cannot be delivered.
error-letters-branch = That is not yours to decide.
error-courier-other = Choose an active courier on its way.
error-courier-branch = Write the code of an open place that fits the rank.
error-courier-already = You carry letters already.
error-courier-holds = They still carry letters. Have these handed over first.
error-couriers-full = This space has as many couriers as it may have.
error-place-name = Write what it is called.
error-place-code = Write AA for a school or town, AABB for an area, AABBCC for a point.
error-place-parent = The place above it is not open.
error-place-taken = This code is taken.
error-place-pair = Write two letters or digits.
error-place-below = Close the places below it first.
error-place-doors = You have as many doors as one may have.
error-places-full = This space has as many places as it may have.
error-sheets-full = Hand out the stickers that there are first.
letters-museum = Museum
letters-museum-none = Nothing hangs here yet. Once a letter is opened, both who wrote and who received it can give it.
letters-museum-waiting = Given, to be hung
letters-hang = Hang it
letters-unhang = Take it down from the museum
letters-gift = Give it to the museum
letters-gift-name = My name may stand beside it
letters-gift-asked = The other one gives this letter to the museum. It hangs there only if you give it, too.
letters-gift-other = You give it to the museum. It hangs there only if the other one gives it, too.
letters-gift-waits = Both of you give it. It waits for a curator.
letters-gift-hung = It hangs in the museum.
letters-gift-named = Your name may stand beside it.
letters-gift-back = Do not give it any more
act-exhibit-hung = Hung a letter in the museum
act-exhibit-declined = Declined a letter for the museum, or took it down there
permission-letters-curate = Hang letters that both sides give in the museum, and take them down
error-letter-not-given = Both sides have to give the letter first.
letters-drift = To whom the tide finds
letters-drift-hint = It has no address. Somebody who asked for such letters finds it, and may answer.
letters-drift-open = Let a letter drift
letters-drift-about = A letter that drifts has no address. The tide finds somebody who reads one of your languages and cares about the same. Neither of you learns who the other one is before it is answered, and the same two people do not meet again within 30 days.
letters-drift-send = Letters of yours
letters-drift-slots = { $count } of { $most } on their way. With each letter that is answered there may be one more, up to 8.
letters-drift-write = Write a letter that drifts
letters-drift-full = As many as may be are on their way. Wait for an answer, or until one has drifted for 60 days.
letters-drift-take = Letters of others
letters-drift-join = Take letters that drift
letters-drift-leave = Take no more of them
letters-drift-languages = Languages that you read
letters-drift-languages-hint = One to five.
letters-drift-interests = What you care about
letters-drift-interests-hint = Up to 10, with commas between them, such as bread, night trains, chess. Nobody sees them.
letters-drift-whom = Whom the tide finds
letters-drift-on = Let it drift on
letters-drifted-on = It drifts on
letters-step-drift-found = The tide found somebody
letters-step-drifted-on = It drifts on
letters-stamp-drift = Drift
letters-way-drift = By tide, too: letters without an address, to members who ask for them
ask-drift-on = Let this letter drift on?
ask-drift-on-text = Somebody else finds it. You do not see it again.
ask-drift-on-yes = Let it drift on
error-drift-join = Say first which languages you read: who lets letters drift takes some, too.
error-drift-slots = As many letters of yours drift as may be.
error-drift-languages = Choose one to five languages.
error-drift-interests = Write up to 10 interests of at most 30 characters each.
error-letter-drifted = This letter drifted on to somebody else while you wrote.
letters-pages = Photographed pages
letters-pages-hint = Written on paper? Photograph the pages and add them, up to 8. They are a part of the letter.
letters-pages-choose = Choose photographs
letters-pages-add = Add
letters-page-n = Page { $number }
letters-page-up = Earlier
letters-page-down = Later
letters-page-remove = Take away
letters-page-waits = It is being prepared.
letters-page-failed = It cannot be shown. Take it away, and add another photograph.
error-letter-pages = A letter has at most 8 photographs.
error-letter-pages-wait = A photograph is still being prepared. Try again in a moment.
error-letter-page-failed = A photograph cannot be shown. Take it away first.
letters-away = When you are away
letters-away-hint = Who writes to you sees it, so that nobody waits in vain.
letters-away-from = From
letters-away-until = Until
letters-away-note = A line for them
letters-away-end = I am back
letters-away-words = Away from { $from } to { $until }
error-letter-away = Choose two days, the first one first, within the next year.
letters-ask-here = Still here?
letters-question = A question
letters-question-to-you = Who wrote this letter asks whether you are still here. There is no hurry to answer it.
letters-question-open = You asked whether they are still here.
letters-question-here = The answer: still here, and they will write when they can.
letters-question-rest = The answer: let it rest, with kind regards.
letters-answer-here = I am still here
letters-answer-rest = Let it rest
notice-letter-asked = Somebody who wrote to you asks whether you are still here
notice-letter-said = You asked whether somebody is still here, and they answered
error-letter-ask-early = It is too early to ask: a letter may take a month to be answered.
error-letter-asked = That was asked already.
letters-closes = This is my last letter of this correspondence
letters-closes-hint = Once it has arrived, neither of you answers here any more.
letters-closed = With this letter the correspondence ends.
error-letter-closed = This correspondence has ended with a last letter. You can begin a new one.
error-letter-closes = Only an answer can be the last letter of a correspondence.
letters-hidden-list = Letters that were taken down
letters-hidden-none = No letter is taken down.
letters-hidden-by = Letter of { $name }
letters-show = Bring it back
letters-send-back = Bring it back to its author
ask-send-letter-back = Bring this letter back to its author?
ask-send-letter-back-text = It is not delivered any more.
ask-send-letter-back-yes = Bring it back
letters-prompts = Nothing comes to mind?
letters-prompts-hint = A question to begin with. None of it is put into your letter.
letters-mood-glad = When you are glad
letters-prompt-glad-1 = What went better this week than you had thought?
letters-prompt-glad-2 = Which small thing made you smile today, and who else was there?
letters-prompt-glad-3 = What do you look forward to, and why just that?
letters-mood-quiet = When it is quiet
letters-prompt-quiet-1 = What do you hear while you write this?
letters-prompt-quiet-2 = Describe the way home as if they had never seen it.
letters-prompt-quiet-3 = What has stayed the same since you last met?
letters-mood-missing = When you miss somebody
letters-prompt-missing-1 = What would you show them first if they stood at the door?
letters-prompt-missing-2 = Which habit of theirs have you taken on?
letters-prompt-missing-3 = What did you want to tell them, and then did not?
letters-mood-thanks = When you want to thank
letters-prompt-thanks-1 = What did they do that they have surely forgotten?
letters-prompt-thanks-2 = What do you do differently because of them?
letters-prompt-thanks-3 = When did you last think of them, and what brought it on?
letters-mood-heavy = When something is hard
letters-prompt-heavy-1 = What would you like to put down for a while?
letters-prompt-heavy-2 = What helps a little, even if not much?
letters-prompt-heavy-3 = What do you wish that somebody asked you?
letters-mood-curious = When you are curious
letters-prompt-curious-1 = What do they know more about than anybody you know?
letters-prompt-curious-2 = What have you changed your mind about?
letters-prompt-curious-3 = Which question do you carry around unanswered?
letters-exhibitions = Exhibitions
letters-exhibition-new = Open an exhibition
letters-exhibition-change = Change this exhibition
letters-exhibition-title = What it is called
letters-exhibition-about = What it is about
letters-exhibition-opens = First day
letters-exhibition-closes = Last day
letters-exhibition-days = { $from } to { $until }
letters-exhibition-remove = Take it apart
letters-exhibition-none = No letter hangs in it yet.
letters-exhibition-in = Exhibition
letters-exhibition-place = Hang it there
letters-exhibition-museum = In the museum alone
letters-exhibit = A letter in the museum
letters-exhibit-look = Hearts and notes
letters-exhibit-up = Earlier
letters-exhibit-down = Later
letters-hearts = { $count ->
    [one] { $count } heart
   *[other] { $count } hearts
}
letters-notes-count = { $count ->
    [one] { $count } note
   *[other] { $count } notes
}
letters-heart = Give it a heart
letters-heart-back = Take your heart back
letters-notes = Notes
letters-notes-none = Nobody has left a note yet.
letters-note = Your note
letters-note-hint = All members read it. Be kind: somebody gave this letter away.
letters-note-leave = Leave it
letters-note-remove = Take away
ask-remove-exhibition = Take this exhibition apart?
ask-remove-exhibition-text = Its letters hang on in the museum.
ask-remove-exhibition-yes = Take it apart
ask-remove-note = Take this note away?
ask-remove-note-text = It cannot be brought back.
ask-remove-note-yes = Take it away
error-exhibition-title = Write what it is called.
error-exhibition-days = Choose two days, the first one first.
error-exhibitions-full = This museum has as many exhibitions as it may have.
error-exhibition-full = An exhibition has at most 50 letters.
error-museum-note = Write a note of at most { $limit } characters.
error-museum-notes-full = There are as many notes beside this letter as may be.
letters-more = More
letters-scan = By code
letters-scan-deed = What you did
letters-scan-took = I took it
letters-scan-note = Note it
letters-scan-offline = Scan the sticker or type its code. Keep this page open: without a connection it keeps what you note, and sends it in order once there is one.
letters-scans-wait = Waiting for a connection:
letters-scans-refused = Not taken:
letters-scans-unknown = No letter on your way has that code.
letters-scans-full = No more than 200 can wait. Find a connection first.
letters-points = Points
letters-points-have = You have { $count } points.
letters-points-hint = They come from letters that arrive, are carried and hung, and buy papers, stamps and envelopes for your letters here.
letters-points-buy = What they buy
letters-points-price = { $count } points
letters-points-yours = Yours
letters-points-take = Take it
letters-points-ledger = Your latest
letters-points-board = Who earned the most
letters-points-table = What there is for what
letters-points-daily = At most in a day
letters-points-none = With 0 a day there are no points.
letters-deed-written = A letter of one's own arrived
letters-deed-delivered = Delivered a letter
letters-deed-carried = Carried a letter on its way
letters-deed-hung = A letter was hung in the museum
letters-deed-bought = A paper, stamp or envelope
letters-paper-kraft = Kraft
letters-paper-squared = Squared
letters-paper-rose = Rose
letters-stamp = Stamp
letters-stamp-usual = The usual one
letters-stamp-fern = Fern
letters-stamp-lamp = Lamp
letters-stamp-comet = Comet
error-points = Write 0 to { $limit }.
error-points-few = You have too few points for that.
error-points-bought = That is yours already.
error-paper-not-bought = Paper and stamp have to be bought first.
# Terminals
terminals-title = Terminals
terminals-none = Nobody shares a terminal here now.
terminals-back = Back to the room
terminals-share = Share a terminal
terminals-share-hint = Run this on your own machine. Everybody who may watch here sees your terminal, and only those type in it whom you let. The server runs nothing of it.
terminals-share-token = The program asks for a token of yours in the variable TIDEPOOL_TOKEN. You make one here:
terminals-share-not = You may not share terminals in this room.
terminals-account-title = Shared terminals
terminals-token-about = A token lets the command “tidepool share” show a terminal of your machine in a room. It can do nothing else in your name.
terminals-token-made = Your new token
terminals-token-once = Copy it now: it is not shown again.
terminals-token-use = On your machine, for instance:
terminals-tokens = Tokens
terminals-tokens-none = You have no tokens.
terminals-token-created = Made
terminals-token-used = last used
terminals-token-revoke = Revoke
terminals-token-new = Make a token
terminals-token-name = Name
terminals-token-name-hint = The machine that you use it on.
terminals-token-create = Make a token
terminals-operate-title = All terminals
terminals-operate-none = Nobody shares a terminal on this server now.
terminals-operate-off = Sharing terminals is switched off in the settings: those that are open go on.
terminals-shell = Shell
terminals-shell-hint = A shell on this server, shut in: it reaches no network and none of the server’s files. What is in its home folder is gone when it ends. You decide who else types.
terminals-shell-size = Columns and rows
terminals-shell-open = Open a shell
terminal-on-server = on the server
terminal-opened-it = opened it
terminal-end-shell = End the shell
terminal-links = Links for guests
terminal-links-about = Who has such a link sees the screen of this terminal without an account: not the room, and not who is in it. Nobody types by it.
terminal-links-valid = Links that are valid
terminal-links-none = There are none.
terminal-link-made = The new link
terminal-link-once = Copy it now: it is not shown again.
terminal-link-until = Valid until
terminal-link-created = Made
terminal-link-revoke = Revoke
terminal-link-new = Make a link
terminal-link-ttl = Valid for
terminal-link-hour = an hour
terminal-link-day = a day
terminal-link-week = a week
terminal-link-create = Make a link
terminal-guest-about = You are watching by a link. Who shares this sees that somebody does.
terminal-guests = { $count ->
    [one] One guest watches by a link.
   *[other] { $count } guests watch by links.
 }
terminal-live = Live
terminal-away = Sharer away
terminal-recorded = Recorded
terminal-replay = Play the recording
terminal-runs = running for { $time }
terminal-ended = ended after { $time }
terminal-exited = { $time }, exit { $code }
terminal-watchers = { $count ->
    [0] nobody watches
    [one] one person watches
   *[other] { $count } people watch
}
terminal-people-title = Who is here
terminal-people = In this terminal
terminal-host = shares
terminal-types = may type
terminal-is-removed = removed
terminal-hand = wants to type
terminal-not-here = not watching
terminal-typed = { $count ->
    [one] typed one byte
   *[other] typed { $count } bytes
}
terminal-let-type = Let type
terminal-take-back = No longer let type
terminal-raise-hand = Ask to type
terminal-lower-hand = Do not ask any more
terminal-remove = Remove
terminal-let-back = Let watch again
terminal-has-keyboard = has the keyboard
terminal-take-keyboard = Take the keyboard
terminal-pass-keyboard = Pass the keyboard
terminal-put-down = Put the keyboard down
terminal-one-at-a-time = One at a time
terminal-all-at-once = All at once
terminal-in-turn = One person types at a time: who has the keyboard.
terminal-nobodys-turn = One person types at a time. Nobody has the keyboard now.
terminal-waiting = It is not your turn. Take the keyboard below, or ask for it.
terminal-usage = { $cpu } % processor, { $memory } memory
terminal-latency = Delay
terminal-files = Files for the sharer
terminal-files-send = Put a file into the sharer’s folder
terminal-files-hint = The sharer is asked on their own terminal. Only when they take it does it go to their machine. Up to 16 MiB each; you can also drop files on the screen.
terminal-files-choose = Files
terminal-files-offer = Offer
terminal-file-asked = the sharer is asked
terminal-file-taking = on its way
terminal-file-stored = is there as “{ $name }”
terminal-file-refused = the sharer does not take it
terminal-file-unanswered = the sharer did not answer
terminal-file-failed = did not arrive
terminal-lock = Lock the keyboard
terminal-unlock = Unlock the keyboard
terminal-end = End sharing
terminal-is-locked = The keyboard is locked: only the sharer types.
terminal-read-only = The sharer takes no input of others.
terminal-as-text = Text, search
terminal-search = Search the output
terminal-search-do = Search
terminal-found = { $count ->
    [0] Nothing was found.
    [one] One hit
   *[other] { $count } hits
}
terminal-searched = { $count ->
    [one] One line was searched.
   *[other] { $count } lines were searched.
}
terminal-screen-only = Only the screen could be searched.
terminal-last-hits = The last 200 lines with hits are shown.
terminal-text-again = Read it again
terminal-no-text = The screen cannot be read now: the sharer is away, or the terminal has ended.
terminal-back = Back to the terminal
terminal-screen = Screen of the terminal
terminal-connecting = Connecting…
terminal-away-long = The sharer’s connection is lost. This page goes on once they are back.
terminal-lost = The connection is lost. Trying again…
terminal-over = This terminal has ended.
terminal-removed = You may not watch this terminal any more.
terminal-watching = You are watching.
terminal-typing = You may type. Shift and Escape give the keyboard back to the page.
terminal-missing = Some output was lost on the way; the screen is right again.
terminal-keys = Keys
terminal-key-left = Left
terminal-key-up = Up
terminal-key-down = Down
terminal-key-right = Right
terminal-paste = Paste
terminal-needs-scripts = To watch it live, the page needs JavaScript.
terminal-replay-play = Play
terminal-replay-pause = Pause
terminal-replay-position = Position
terminal-replay-speed = Speed
terminal-replay-link = Link to this moment
terminal-replay-scripts = A recording is played with JavaScript, which this page does without. You can save it above.
terminal-delete-recording = Delete the recording
error-terminals-off = Sharing terminals is switched off on this server.
error-terminal-recordings = You have as many recordings as are kept. Delete one on its page, or share without recording.
error-terminals-own = You share as many terminals as one person may. End another one.
error-terminals-room = There are as many terminals in this room as there may be.
error-terminal-tokens = You have as many tokens as one person may. Revoke another one.
error-terminal-version = This version of tidepool share does not fit the server. Use the server’s version.
error-terminal-people = Too many people have a part in this terminal.
error-terminal-watching = You are watching in too many windows. Close one.
error-terminal-host = Only who shares the terminal may do this.
error-terminal-typist = They may not type in terminals of this room.
error-terminal-no-turns = Everybody who may types here at once.
error-terminal-baton-held = Somebody else has the keyboard. Ask for it.
error-terminal-not-holder = Only who has the keyboard, or who shares the terminal, passes it on.
error-terminal-no-typist = You were not let type in this terminal. Ask to.
error-terminal-no-files = The sharer takes no files.
error-terminal-files = As many files wait for the sharer as may. Try again once they have answered.
error-terminal-file-none = Choose a file.
error-terminal-self = The terminal is theirs.
error-terminal-over = This terminal has ended.
error-terminal-links = There are as many links to this terminal as there may be. Revoke another one.
error-terminal-guests = As many watch this terminal by links as may. Try again later.
error-shell-off = Shells are switched off on this server. Its host can switch them on.
error-shells-server = There are as many shells on this server as there may be. Try again once one has ended.
error-shells-room = There are as many shells in this room as there may be.
error-shells-own = You have opened as many shells as one person may. End another one.
error-shell-bubblewrap = No shell was opened: it could not be contained, as the server lacks the program bubblewrap, in version 0.8 or later.
error-shell-programs = No shell was opened: it could not be contained, as the server lacks one of the programs sh, nice, prlimit and setpriv.
error-shell-namespaces = No shell was opened: it could not be contained, as the server’s system allows no namespaces of its own to it.
error-shell-network = No shell was opened: it could not be kept from the network.
error-shell-root = No shell was opened: it could not be kept from the server’s files.
error-shell-privileges = No shell was opened: it would have had more rights than it may.
error-shell-descriptors = No shell was opened: it would have had files open that are the server’s.
error-shell-quota = No shell was opened: its folders would have had no bound.
error-shell-memory = No shell was opened: the memory of its programs would have had no bound.
error-shell-processes = No shell was opened: the number of its programs would have had no bound.
act-terminal-typed = Typed in the terminal
act-terminal-ended = Ended the terminal of
act-shell-opened = Opened a shell on the server
act-shell-ended = Ended: the shell of
permission-terminals-view = Watch the terminals of rooms
permission-terminals-type = Type in terminals whose hosts allow it
permission-terminals-share = Share terminals of their own machines in rooms
permission-terminals-link = Let people without an account watch their terminals
permission-terminals-shell = Open contained shells on the server in rooms
permission-terminals-end-others = End terminals that others share
letters-assigned = For you to pick up
letters-assigned-hint = Take them by the time shown, or they go to somebody else.
letters-bags = Bags
letters-bag-holds = { $count ->
    [one] { $count } letter in this bag
   *[other] { $count } letters in this bag
}
letters-bag-offered = Offered on
letters-bag-pack = Put letters into a bag
letters-bag-hint = A bag has a sticker of its own, which stays on it. Scan the bag, and all letters in it move together.
letters-bag-code = Code of the bag
letters-bag-pack-it = Pack it
letters-bag-empty = This bag is empty. Put letters into it on your round.
letters-bag-take = Take the bag
letters-bag-offer = Hand the bag over
letters-bag-open = Open the bag
letters-bagged = It is in a bag. Scan the bag, or take it out.
letters-unpack = Take it out of the bag
letters-scan-opened = Opened the bag
letters-escalate = Ask the rank above to decide
letters-escalated = The rank above was asked
letters-asked-above = A decision is asked for
letters-proposals = Proposed for the next rank
letters-proposal-record = { $count } delivered, { $percent } % in time
letters-shift = When you carry
letters-shift-hint = Letters are assigned to you at these times alone, by your own clock. You can take others at any time.
letters-shift-days = Days
letters-shift-from = From this hour
letters-shift-until = Until this hour
letters-day-0 = Monday
letters-day-1 = Tuesday
letters-day-2 = Wednesday
letters-day-3 = Thursday
letters-day-4 = Friday
letters-day-5 = Saturday
letters-day-6 = Sunday
letters-substitute = While they pause:
letters-substitute-none = Nobody
letters-substitute-choose = Who stands in
letters-rules = How couriers work
letters-rule-assigns = Assign posted letters to the nearest courier who has the least to carry
letters-rule-hours = Hours to pick one up
letters-rule-load = Letters of one courier at a time
letters-rule-delivered = Letters delivered before the next rank is proposed
letters-rule-percent = Of a hundred, so many in time
letters-rules-hint = Who does not pick a letter up in time is not assigned it again. With 0 letters nobody is proposed.
notice-letter-assigned = A letter waits for you to pick it up
notice-letter-escalated = You are asked to decide about a letter by hand
notice-letter-proposed = A courier is proposed for the next rank
act-courier-substituted = Named who stands in for a courier
error-letter-bagged = This letter is in a bag. Scan the bag, or take it out first.
error-bag-code = No free sticker of this space has that code, or it is on a letter.
error-bag-empty = Choose the letters for the bag.
error-bag-letter = You can put letters into a bag that you carry and offer to nobody, and that are in no other bag.
error-bag-held = Another courier has this bag, or is to take it.
error-bag-full = A bag holds at most 100 letters. Take another one.
error-bags-full = You have as many bags as one may have. Open some.
error-bag-opened = This bag was opened.
error-bag-deed = A bag can be taken or opened.
error-bag-courier = Not all letters of this bag go through the branch of that courier.
error-shift-days = Choose a day at least.
error-shift-hours = Write hours from 0 to 24, the earlier one first.
error-courier-rules = Write a number up to { $limit }.
letters-contests = Contests for envelopes
letters-contests-hint = Members draw envelopes and vote, once in each contest. The one with the most votes can be bought with points.
letters-contests-none = There was no contest yet.
letters-contest-open = A new contest
letters-contest-title = What it is about
letters-contest-open-it = Open the contest
letters-contest-close = Close the contest
letters-contest-winner = It is over. This one won:
letters-contest-no-winner = It is over. Nobody voted.
letters-designs-none = Nobody proposed an envelope yet.
letters-votes = { $count ->
    [one] { $count } vote
   *[other] { $count } votes
}
letters-vote = Vote
letters-voted = Your vote
letters-propose = Your envelope for
letters-design-title = Its name
letters-design-picture = The picture of its front
letters-design-hint = PNG, JPEG, GIF or WebP, at most 4 MiB, about 3 wide to 2 high. The address and the stamp are put on it.
letters-propose-it = Propose it
letters-envelope = Envelope
letters-envelope-plain = Plain
ask-close-contest = Close this contest?
ask-close-contest-text = Nobody votes any more, and the envelope with the most votes wins.
ask-close-contest-yes = Close it
ask-withdraw-design = Take this envelope away?
ask-withdraw-design-text = It is gone with its votes.
ask-withdraw-design-yes = Take it away
error-contest-title = Write a name.
error-contest-closed = This contest is over.
error-contests-full = There are as many contests as there may be: 3 open ones, 200 in all.
error-designs-full = This contest has as many designs as it may have.
error-design-picture = Choose a picture.
error-design-one = You proposed an envelope here already.
error-vote-own = You cannot vote for your own.
error-vote-once = You have voted in this contest.
letters-suggest = Questions from a machine
letters-suggest-hint = A service that the host of this server chose suggests questions. It gets the mood and the words below, and nothing of your letter.
letters-suggested-by-machine = Made by a machine
letters-suggest-mood = Mood
letters-suggest-any = Any
letters-suggest-topic = About, in a few words
letters-suggest-ask = Ask for questions
error-suggestions-off = This server has no service for that.
error-suggestions-per-day = You asked as often today as one may. Come back tomorrow.
error-suggestions-none = No questions came. Ask again with other words.
error-suggestions-failed = The service does not answer now. Try again later.
error-suggestion-topic = Write at most 100 characters.
