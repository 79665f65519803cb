// nodemailer's pooled transport, used as one would: a message built for everybody. Takes its load as JSON.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const load = JSON.parse(process.argv[2]);
const nodemailer = createRequire(load.installed + '/')('nodemailer');
const transport = nodemailer.createTransport({
  host: 'localhost', port: load.port, pool: true, maxConnections: load.connections, maxMessages: Infinity,
  secure: Boolean(load.ca), ignoreTLS: !load.ca, tls: load.ca ? { ca: readFileSync(load.ca) } : undefined,
  dkim: load.key ? { domainName: 'campaign.example', keySelector: 'bench', privateKey: readFileSync(load.key, 'utf8') } : undefined,
});

const line = 'We ask you to keep the trees on the square, for their shade and for the birds in them.\r\n';
const body = line.repeat(Math.floor(load.bytes / 2 / line.length));
const letter = (n) => ({
  from: 'Signer via Benchmark <letters@campaign.example>', replyTo: `signer${n}@mail.example`,
  to: `mayor${n % 60}@town${n % 60}.example`, subject: `A letter from signer ${n}`,
  text: `Dear Mayor ${n},\r\n\r\n${body}`, html: `<p>Dear Mayor ${n},</p>\r\n${body}`,
});

// Twice as many under way as there are connections, so that none of them waits for a message.
let next = 0;
const work = async () => {
  while (next < load.messages) await transport.sendMail(letter(next++));
};
await Promise.all(Array.from({ length: 2 * load.connections }, work));
transport.close();
