"""Python's own smtplib, used as one would: a thread a connection, a message built for everybody. Takes its load as JSON."""

import json
import smtplib
import ssl
import sys
import threading
from email.message import EmailMessage

LINE = "We ask you to keep the trees on the square, for their shade and for the birds in them.\n"


def letter(number, size):
    body = LINE * (size // 2 // len(LINE))
    message = EmailMessage()
    message["From"] = "Signer via Benchmark <letters@campaign.example>"
    message["Reply-To"] = f"signer{number}@mail.example"
    message["To"] = f"mayor{number % 60}@town{number % 60}.example"
    message["Subject"] = f"A letter from signer {number}"
    message.set_content(f"Dear Mayor {number},\n\n{body}")
    message.add_alternative(f"<p>Dear Mayor {number},</p>\n{body}", subtype="html")
    return message


def send(load, first, failures):
    try:
        if load["ca"]:
            trust = ssl.create_default_context(cafile=load["ca"])
            server = smtplib.SMTP_SSL("localhost", load["port"], context=trust)
        else:
            server = smtplib.SMTP("localhost", load["port"])
        with server:
            for number in range(first, load["messages"], load["connections"]):
                server.send_message(letter(number, load["bytes"]))
    except Exception as error:  # a thread's failure is the whole run's
        failures.append(error)


def main():
    load, failures = json.loads(sys.argv[1]), []
    threads = [threading.Thread(target=send, args=(load, n, failures)) for n in range(load["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"smtplib: {failures[0]!r}")


main()
