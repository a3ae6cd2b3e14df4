"""The shapes of requests and answers: requests are strict and refuse unknown fields, answers document themselves."""
