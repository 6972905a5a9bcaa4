// Webhooks of rules: who is asked over HTTP where a call goes. A question is a POST of JSON, an answer JSON with target, caller_id, trunks and ring_time, or nothing (204).

package dial

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

const (
	maxHookAnswer = 64 << 10 // bytes
	maxHooks      = 64       // questions at once; further ones fail
)

// SignatureHeader carries the HMAC-SHA256 of the body, in hexadecimal digits, if the plan has a secret.
const SignatureHeader = "Sipwerk-Signature"

// errManyHooks says that too many questions wait already.
var errManyHooks = errors.New("too many webhooks are asked at once")

// Webhook asks the webhooks of all domains.
type Webhook struct {
	client *http.Client
	reveal func(object.Secret) (string, error)
	slots  chan struct{}
}

// NewWebhook makes one; reveal gives a secret in clear. [Webhook.Close] ends its use.
func NewWebhook(reveal func(object.Secret) (string, error)) *Webhook {
	h := &Webhook{reveal: reveal, slots: make(chan struct{}, maxHooks)}
	h.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // who is asked is who was named
	return h
}

// Asker asks with the secret of a domain.
func (h *Webhook) Asker(secret object.Secret) func(context.Context, *dialplan.Question) (dialplan.Answer, error) {
	return func(ctx context.Context, q *dialplan.Question) (a dialplan.Answer, err error) {
		select {
		case h.slots <- struct{}{}:
			defer func() { <-h.slots }()
		default:
			return a, errManyHooks
		}
		req, err := h.request(ctx, q, secret)
		if err != nil {
			return a, err
		}
		res, err := h.client.Do(req)
		if err != nil {
			return a, err
		}
		defer res.Body.Close()
		switch {
		case res.StatusCode == http.StatusNoContent:
			return a, nil
		case res.StatusCode != http.StatusOK:
			return a, fmt.Errorf("it answers %s", res.Status)
		}
		return a, json.NewDecoder(io.LimitReader(res.Body, maxHookAnswer)).Decode(&a)
	}
}

// request makes the question.
func (h *Webhook) request(ctx context.Context, q *dialplan.Question, secret object.Secret) (*http.Request, error) {
	body, err := json.Marshal(struct {
		Rule string `json:"rule"`
		dialplan.Facts
	}{q.Rule, q.Facts})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, q.Webhook, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if secret != "" {
		key, err := h.reveal(secret)
		if err != nil {
			return nil, err
		}
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body)
		req.Header.Set(SignatureHeader, hex.EncodeToString(mac.Sum(nil)))
	}
	return req, nil
}

// Close lets go of idle connections.
func (h *Webhook) Close() { h.client.CloseIdleConnections() }
