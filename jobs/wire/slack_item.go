package wire

import (
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// slackItem is the part of a message about one event, in plain text.
type slackItem struct {
	title, link, excerpt string
	deed                 []slackPart // author, action and location
	tags                 []string
}

// slackPart is a piece of a sentence; names are bold.
type slackPart struct {
	text string
	bold bool
}

// slackItemOf returns the item of an event.
func slackItemOf(e Event) (slackItem, error) {
	switch e.Type {
	case WebhookBroken:
		return slackBroken(e), nil
	case SourceSilent:
		return slackSilent(e), nil
	}
	item, err := itemOf(e)
	if err != nil {
		return slackItem{}, err
	}
	out := slackItem{deed: slackDeed(e, ownerOf(item))}
	switch i := item.(type) {
	case questionItem:
		out.title, out.link, out.excerpt, out.tags = i.Title, i.Link, i.Body, i.Tags
	case answerItem:
		out.title, out.link, out.excerpt, out.tags = i.Title, i.Link, i.Body, i.Tags
	case commentItem:
		out.title, out.link, out.excerpt, out.tags = e.Question.Title, i.Link, i.Body, i.Tags
	}
	if out.title = firstCharacters(oneLine(out.title), slackTitle); out.title == "" {
		out.title = "Untitled"
	}
	out.link, out.excerpt = slackLink(out.link), plainText(out.excerpt, slackExcerpt)
	return out, nil
}

func slackBroken(e Event) slackItem {
	var name, reason string
	var id int64
	if data, err := object.Parse(e.Data); err == nil {
		data.Read("name", &name)
		data.Read("reason", &reason)
		data.Read("id", &id)
	}
	return slackItem{
		title:   "Webhook broke: " + firstCharacters(oneLine(name), slackTitle),
		excerpt: firstCharacters(oneLine(reason), slackExcerpt),
		deed:    []slackPart{{text: "Sitehooks stopped sending to webhook " + strconv.FormatInt(id, 10) + slackPlace(e)}},
	}
}

// slackDeeds are the words for each action and its object; own is set if the
// post's owner is always the author.
var slackDeeds = map[string]struct {
	did, object, done string
	own               bool
}{
	QuestionCreated: {"asked", "a question", "was asked", true},
	QuestionEdited:  {"edited", "a question", "was edited", false},
	AnswerCreated:   {"answered", "a question", "was answered", true},
	AnswerEdited:    {"edited", "an answer", "was edited", false},
	AnswerAccepted:  {"accepted", "an answer", "was accepted", false},
	CommentCreated:  {"wrote", "a comment", "was written", true},
}

// slackDeed describes the author, action and location: Ann edited a question by
// Bob, or, when the author is unknown, A question by Bob was edited.
func slackDeed(e Event, owner User) []slackPart {
	deed, who, by := slackDeeds[e.Type], nameOf(e.Actor), nameOf(owner)
	if deed.own && who == "" {
		who = by
	}
	var byOwner []slackPart
	if by != "" && !deed.own && e.Actor.UserID != owner.UserID {
		byOwner = []slackPart{{text: " by "}, {by, true}}
	}
	var parts []slackPart
	if who != "" {
		parts = append([]slackPart{{who, true}, {text: " " + deed.did + " " + deed.object}}, byOwner...)
	} else {
		parts = append([]slackPart{{text: strings.ToUpper(deed.object[:1]) + deed.object[1:]}}, byOwner...)
		parts = append(parts, slackPart{text: " " + deed.done})
	}
	return append(parts, slackPart{text: slackPlace(e)})
}

// slackPlace says where it happened.
func slackPlace(e Event) string {
	place := " on the main site"
	if e.Location != "main" {
		place = " in " + e.Location
	}
	if e.Community != "" {
		place += ", community " + e.Community
	}
	return place
}

func ownerOf(item any) User {
	switch i := item.(type) {
	case questionItem:
		return i.Owner
	case answerItem:
		return i.Owner
	case commentItem:
		return i.Owner
	}
	return User{}
}

// nameOf is a member's name; empty for none and for Community, which is not a
// person.
func nameOf(u User) string {
	if u.UserID == -1 {
		return ""
	}
	if name := oneLine(u.DisplayName); name != "" || u.UserID == 0 {
		return firstCharacters(name, slackName)
	}
	return "user " + strconv.FormatInt(u.UserID, 10)
}

func slackSilent(e Event) slackItem {
	var name, since string
	var hours int64
	if data, err := object.Parse(e.Data); err == nil {
		data.Read("name", &name)
		data.Read("silent_since", &since)
		data.Read("expect_hours", &hours)
	}
	return slackItem{
		title:   "Source went silent: " + firstCharacters(oneLine(name), slackTitle),
		excerpt: firstCharacters("It has reported nothing since "+oneLine(since)+".", slackExcerpt),
		deed:    []slackPart{{text: "Sitehooks expects an event every " + strconv.FormatInt(hours, 10) + " hours" + slackPlace(e)}},
	}
}
