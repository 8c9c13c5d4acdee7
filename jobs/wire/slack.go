package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// Slack's incoming webhooks. Slack defines the accepted requests and the
// responses; the look of a message and the schedule of retries are our own
// choice.
func init() {
	policy := eightAttempts()
	policy.Success, policy.SuccessBody = []int{200}, "ok"
	policy.SuccessHelp = "Slack-type webhooks must be answered with the text “ok”. Check that this is a Slack incoming-webhook URL."
	policy.MinGap = time.Second
	policy.Broken = BrokenRule{After: 24 * time.Hour, Count: 8}
	policy.Fatal = map[int]string{400: "Slack could not use the message."}
	policy.Breaks = map[int]string{
		403: "Slack does not let this webhook post.",
		404: "Slack has no such webhook or channel.",
		410: "the channel no longer exists.",
	}
	policy.Words = slackWords
	Register(Format{
		Name: "slack", Label: "Slack", Order: 10, SecretURL: true,
		URLHelp: "In Slack, open your app at api.slack.com/apps, activate Incoming Webhooks, add a webhook to the channel, and copy its URL. " +
			"It begins with https://hooks.slack.com/services/.",
		Options: qaOptions(),
		NewID:   messageID,
		Compose: composeSlack,
		Headers: func(Request) []Header {
			return []Header{{"Content-Type", "application/json"}, {"User-Agent", "Sitehooks/" + Version}}
		},
		Samples: qaSamples,
		Policy:  policy,
	})
}

// slackWords are Slack's plain-text answers in words.
var slackWords = map[string]string{ //nolint:gosec // words about tokens, no tokens
	"invalid_payload":                   "Slack could not read the message.",
	"invalid_blocks":                    "Slack could not show the message.",
	"no_text":                           "Slack found no text in the message.",
	"action_prohibited":                 "an administrator of the workspace does not allow it.",
	"posting_to_general_channel_denied": "an administrator of the workspace does not allow posts to this channel.",
	"invalid_token":                     "the URL is not that of an existing webhook. Copy it from Slack again.",
	"token_revoked":                     "the webhook was revoked in Slack. Create a new one there and enter its URL.",
	"channel_not_found":                 "the channel no longer exists.",
	"user_not_found":                    "the user that it posts to no longer exists.",
	"no_service":                        "the webhook was removed or switched off in Slack. Create a new one there and enter its URL.",
	"no_service_id":                     "the URL is incomplete. Copy it from Slack again.",
	"no_active_hooks":                   "the webhook was switched off in Slack.",
	"no_team":                           "the workspace no longer exists.",
	"team_disabled":                     "the workspace was switched off.",
	"channel_is_archived":               "the channel was archived. Unarchive it, or choose another one.",
	"rate_limited":                      "it exceeded Slack's rate limit for one webhook.",
	"rollup_error":                      "Slack had an internal error.",
}

// Slack's limits of one message, and an item's share of them.
const (
	slackBlocks     = 50
	slackSection    = 3000  // characters; bytes are counted, which are never fewer
	slackTotal      = 12000 // of all blocks: longer messages are refused
	slackTitle      = 300
	slackExcerpt    = 300
	slackName       = 80
	slackTagsLength = 1000
)

type slackMessage struct {
	Text   string       `json:"text"` // where blocks cannot be shown, as in notifications
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

// slackText is mrkdwn. Verbatim leaves @names, #channels and addresses that
// people wrote as they are.
type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim"`
}

func mrkdwn(text string) slackText { return slackText{"mrkdwn", text, true} }

func composeSlack(events []Event) (body []byte, used int, err error) {
	if len(events) == 0 {
		return nil, 0, errors.New("slack: no events")
	}
	var m slackMessage
	var lines []string
	size := 0
	for _, e := range events {
		item, err := slackItemOf(e)
		if err != nil && used > 0 {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("slack: %w", err)
		}
		blocks, length := item.blocks()
		if used > 0 {
			blocks = slices.Insert(blocks, 0, slackBlock{Type: "divider"})
		}
		size += length
		if used > 0 && (len(m.Blocks)+len(blocks) > slackBlocks || size > slackTotal) {
			break
		}
		m.Blocks = append(m.Blocks, blocks...)
		lines = append(lines, item.line())
		used++
	}
	m.Text = slackFallback(lines)
	body, err = object.Encode(m)
	return body, used, err
}

// slackFallback joins the items' lines as far as there is room for them.
func slackFallback(lines []string) string {
	text := lines[0]
	for i, line := range lines[1:] {
		if len(text)+len(line) > slackSection {
			return fmt.Sprintf("%s\nand %d more", text, len(lines)-1-i)
		}
		text += "\n" + line
	}
	return text
}

// blocks are the item in a message, and the length of their texts.
func (i slackItem) blocks() (blocks []slackBlock, length int) {
	title := "*" + slackEscape(i.title) + "*"
	if i.link != "" && len(title)+len(i.link) < slackSection*2/3 {
		title = "*<" + i.link + "|" + slackEscape(i.title) + ">*"
	}
	section := mrkdwn(title)
	if i.excerpt != "" {
		section.Text += "\n" + slackFit(i.excerpt, slackSection-len(title)-1)
	}
	context := []slackText{mrkdwn(i.sentence(func(name string) string { return "*" + name + "*" }))}
	if len(i.tags) > 0 {
		context = append(context, mrkdwn(slackTags(i.tags)))
	}
	length = len(section.Text)
	for _, t := range context {
		length += len(t.Text)
	}
	return []slackBlock{{Type: "section", Text: &section}, {Type: "context", Elements: context}}, length
}

// line is the item where only text can be shown.
func (i slackItem) line() string {
	return i.sentence(func(name string) string { return name }) + ": " + slackEscape(i.title)
}

func (i slackItem) sentence(bold func(string) string) string {
	var b strings.Builder
	for _, piece := range i.deed {
		text := slackEscape(piece.text)
		if piece.bold {
			text = bold(text)
		}
		b.WriteString(text)
	}
	return b.String()
}

// slackTags names the tags as far as there is room for them.
func slackTags(tags []string) string {
	text := "Tags: "
	for i, tag := range tags {
		tag = slackEscape(firstCharacters(oneLine(tag), slackName))
		if i > 0 {
			tag = ", " + tag
		}
		if len(text)+len(tag) > slackTagsLength {
			return text + fmt.Sprintf(" and %d more", len(tags)-i)
		}
		text += tag
	}
	return text
}

var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackEscape writes the three characters that mean something to Slack, and
// nothing else, in another way.
func slackEscape(s string) string { return slackEscaper.Replace(s) }

// slackFit escapes as much of a text as has room.
func slackFit(text string, limit int) string {
	escaped := slackEscape(text)
	for n := slackExcerpt; len(escaped) > limit && n > 0; n-- {
		escaped = slackEscape(firstCharacters(text, n))
	}
	return escaped
}

// slackLink is an address as it stands in a link; empty when it cannot.
func slackLink(link string) string {
	if !strings.HasPrefix(link, "http://") && !strings.HasPrefix(link, "https://") || strings.ContainsFunc(link, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	return strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(link)
}
