package app_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// The schema of Slack's messages, as far as ours go.
type (
	typeSlackText struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		Verbatim bool   `json:"verbatim"`
	}
	typeSlack struct {
		Text   string `json:"text"`
		Blocks []struct {
			Type     string          `json:"type"`
			Text     *typeSlackText  `json:"text"`
			Elements []typeSlackText `json:"elements"`
		} `json:"blocks"`
	}
)

var (
	slackAddress = regexp.MustCompile(`^\*<https://coffee\.example/questions/(\d+)[^|#>]*(?:#(\d+))?\|[^<>]+>\*`)
	slackBold    = regexp.MustCompile(`\*[^*]*\*`)
	slackDeeds   = map[string]string{"answered a question": "answer created", "question was answered": "answer created"}
)

func init() {
	for _, object := range []string{"question", "answer"} {
		article := map[string]string{"question": "a ", "answer": "an "}[object]
		for verb, did := range map[string]string{"asked": "created", "edited": "edited", "accepted": "accepted"} {
			slackDeeds[verb+" "+article+object] = object + " " + did
			slackDeeds[object+" was "+verb] = object + " " + did
		}
	}
}

// readSlackType reads a message's items by their links and actions.
func readSlackType(body []byte) (events []string, err error) {
	var message typeSlack
	if err := apptest.DecodeStrictly(body, &message); err != nil {
		return nil, err
	}
	if n := len(message.Blocks); n == 0 || n > 50 || message.Text == "" {
		return nil, fmt.Errorf("%d blocks: %s", n, body)
	}
	var ids []string
	for _, block := range message.Blocks {
		switch {
		case block.Type == "section" && block.Text != nil && len(block.Text.Text) <= 3000:
			if ids = slackAddress.FindStringSubmatch(block.Text.Text); ids == nil {
				return nil, errors.New("no link: " + block.Text.Text)
			}
			if ids[2] == "" {
				ids[2] = "0"
			}
		case block.Type == "context" && len(block.Elements) == 2 && ids != nil:
			deed := slackDeed(block.Elements[0].Text)
			if deed == "" {
				return nil, errors.New("no deed: " + block.Elements[0].Text)
			}
			events = append(events, deed+" "+ids[1]+" "+ids[2])
			ids = nil
		case block.Type != "divider":
			return nil, fmt.Errorf("a strange block: %s", body)
		}
	}
	return events, nil
}

// slackDeed is the action in a sentence; people's names are bold.
func slackDeed(text string) string {
	text = strings.ReplaceAll(slackBold.ReplaceAllString(text, ""), " by  ", " ")
	for words, deed := range slackDeeds {
		if strings.Contains(text, words) {
			return deed
		}
	}
	return ""
}
