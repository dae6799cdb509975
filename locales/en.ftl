### Tidepool's own words, in English. Every other language is a translation of this file.
###
### One message per line where it fits. A message that takes arguments names them in a comment.
### Messages are plain text: no HTML, the page escapes them.

## The application

app-name = Tidepool

## Actions, as written on buttons

action-save = Save
action-cancel = Cancel
action-close = Close
action-delete = Delete
action-edit = Edit
action-send = Send

## Counts

# $count: how many times an invitation has been used.
count-uses = { $count ->
    [one] { $count } use
   *[other] { $count } uses
}
# $count: how many members a room has.
count-members = { $count ->
    [one] { $count } member
   *[other] { $count } members
}

## Errors

error-not-found = There is nothing here.
error-sign-in-first = Please sign in first.
error-unavailable = That is not possible at the moment. Please try again soon.
error-internal = Something went wrong on our side.
# $seconds: how long to wait.
error-too-many = { $seconds ->
    [one] That was too fast. Please try again in { $seconds } second.
   *[other] That was too fast. Please try again in { $seconds } seconds.
}
