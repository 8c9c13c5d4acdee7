package wire

import (
	"fmt"
	"net/url"
	"strconv"
)

// AnswerLink derives an answer's link from its question's: …/questions/1/slug
// becomes …/questions/1/slug/2#2. A link that cannot be parsed is returned
// unchanged; an empty one gives an empty one.
func AnswerLink(question string, answerID int64) string {
	id := strconv.FormatInt(answerID, 10)
	u, err := url.Parse(question)
	if err != nil || question == "" {
		return question
	}
	u = u.JoinPath(id)
	u.Fragment, u.RawFragment = id, ""
	return u.String()
}

// commentLink derives a comment's link from that of the post it stands under:
// the same page at #comment{comment}_{post}.
func commentLink(post string, commentID, postID int64) string {
	u, err := url.Parse(post)
	if err != nil || post == "" {
		return post
	}
	u.Fragment, u.RawFragment = fmt.Sprintf("comment%d_%d", commentID, postID), ""
	return u.String()
}
