// Counts the letters of what the event says.
package main

import (
	"context"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	Text string `json:"text"`
}

func count(_ context.Context, event event) (int, error) {
	return utf8.RuneCountInString(event.Text), nil
}

func main() {
	lambda.Start(count)
}
